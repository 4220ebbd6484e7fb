import { expect, it } from 'vitest';
import { allow, expectAccessible, REFUSALS, signIn, useBrowser, visit } from './support/browser';

useBrowser();

const SECRET = 'quatro gatos no telhado';

it.each(['light', 'dark'] as const)('makes an account, changes its role and removes it: %s', async (colorScheme) => {
  allow(REFUSALS);
  const nome = `Nina ${colorScheme}`;
  const page = await visit('/contas', { colorScheme });
  await signIn(page, 'admin');
  await page.getByRole('button', { name: 'Nova conta' }).click();
  const dialog = page.getByRole('dialog', { name: 'Nova conta' });
  await dialog.getByLabel('Nome').fill(nome);
  await dialog.getByLabel('E-mail').fill('sem arroba');
  await dialog.getByLabel('Senha', { exact: true }).fill(SECRET);
  await dialog.getByRole('button', { name: 'Criar a conta' }).click();
  await expect.poll(() => dialog.getByLabel('E-mail').getAttribute('aria-invalid')).toBe('true');
  await expectAccessible(page);
  await dialog.getByLabel('E-mail').fill(`nina.${colorScheme}@exemplo.com.br`);
  await dialog.getByRole('button', { name: 'Criar a conta' }).click();
  await page.getByText('Conta criada.').waitFor();
  const row = page.getByRole('row').filter({ hasText: nome });
  await row.waitFor();
  expect(await row.innerText()).toContain('Leitura');
  await expectAccessible(page);
  await page.getByRole('button', { name: `Mudar a conta de ${nome}` }).click();
  const editor = page.getByRole('dialog', { name: 'Mudar a conta' });
  await editor.getByLabel('Papel').selectOption('operador');
  await expectAccessible(page);
  await editor.getByRole('button', { name: 'Salvar' }).click();
  await expect.poll(() => row.innerText()).toContain('Operação');
  await page.getByRole('button', { name: `Remover a conta de ${nome}` }).click();
  await page.getByRole('dialog', { name: 'Remover esta conta?' }).getByRole('button', { name: 'Remover' }).click();
  await row.waitFor({ state: 'detached' });
});

it('an operator is told that accounts are the administrators’', async () => {
  const page = await visit('/contas');
  await signIn(page, 'operador');
  await expect.poll(() => page.getByRole('button', { name: 'Nova conta' }).count()).toBe(0);
  await expectAccessible(page);
});
