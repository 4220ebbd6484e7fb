import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { api, PASSWORD, token } from './support/stack';
import { allow, another, expectAccessible, fillSignInAs, REFUSALS, shot, signIn, useBrowser, visit } from './support/browser';

useBrowser();

const NEXT = 'cinco gatos no telhado';
const random = (): string => Math.random().toString(36).slice(2, 8);

/** An account that a test may spoil. */
async function account(papel: 'admin' | 'operador'): Promise<string> {
  const address = `${random()}@exemplo.com.br`;
  await api('POST', '/api/usuarios', { nome: `Conta ${address.slice(0, 6)}`, email: address, papel, senha: PASSWORD }, await token('admin'));
  return address;
}

async function enter(page: Page, address: string, password = PASSWORD): Promise<void> {
  await page.getByRole('button', { name: 'Entrar' }).first().click();
  await fillSignInAs(page, address, password);
}

const dialogs = (page: Page): Promise<number> => page.getByRole('dialog').count();

it.each(['light', 'dark'] as const)('changes one’s own password; this browser goes on, other devices sign in again: %s', async (colorScheme) => {
  allow(REFUSALS);
  const address = await account('operador');
  const page = await visit('/agora', { colorScheme });
  await enter(page, address);
  const second = await another(page, '/posts/novo');
  await second.getByLabel('Título').fill('Pela metade');
  const elsewhere = await visit('/leads');
  await enter(elsewhere, address);
  await elsewhere.getByRole('heading', { level: 1, name: 'Leads' }).waitFor();

  await page.getByRole('button', { name: /^Conta de/ }).click();
  await page.getByRole('menuitem', { name: 'Mudar a senha' }).click();
  const dialog = page.getByRole('dialog', { name: 'Mudar a senha' });
  const change = dialog.getByRole('button', { name: 'Mudar a senha' });
  await dialog.getByLabel('Senha atual').fill('não é esta senha');
  await dialog.getByLabel('Senha nova').fill(NEXT);
  await change.click();
  await dialog.getByText('não confere').waitFor();
  expect(await dialog.getByLabel('Senha atual').getAttribute('aria-invalid')).toBe('true');
  await expectAccessible(page);
  await shot(page, `senha-${colorScheme}-desktop`);
  await dialog.getByLabel('Senha atual').fill(PASSWORD);
  await dialog.getByLabel('Senha nova').fill('123456123456');
  await change.click();
  await expect.poll(() => dialog.getByLabel('Senha nova').getAttribute('aria-invalid')).toBe('true');
  await dialog.getByLabel('Senha nova').fill(NEXT);
  await change.click();
  await page.getByText('Senha mudada.').waitFor();
  expect(await dialogs(page)).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '')).toMatch(/^Conta de/);

  // Both windows go on with the new token, and the stream of events comes back.
  for (const one of [page, second]) {
    await one.getByRole('link', { name: 'Entregas' }).click();
    await one.getByText('ao vivo', { exact: true }).waitFor({ timeout: 20_000 });
    expect(await dialogs(one)).toBe(0);
  }
  await second.goBack();
  await expect.poll(() => second.getByLabel('Título').inputValue()).toBe('Pela metade');

  // By itself: the API ended its stream of events.
  await elsewhere.getByText('Sua sessão terminou. Entre de novo').waitFor({ timeout: 30_000 });
  await fillSignInAs(elsewhere, address, NEXT);
  await elsewhere.getByText('ao vivo', { exact: true }).waitFor();
});

it('a change of one’s own account asks for a new sign-in, in each window; a new name does not', async () => {
  allow(REFUSALS);
  const address = await account('admin');
  const page = await visit('/contas');
  await enter(page, address);
  const second = await another(page, '/entregas');
  await second.getByRole('heading', { level: 1, name: 'Entregas' }).waitFor();
  const row = page.getByRole('row').filter({ hasText: address });
  const edit = async (): Promise<ReturnType<Page['getByRole']>> => {
    await row.getByRole('button', { name: /Mudar a conta/ }).click();
    return page.getByRole('dialog', { name: 'Mudar a conta' });
  };
  const renamed = await edit();
  const name = `Nova ${random()}`;
  await renamed.getByLabel('Nome').fill(name);
  await renamed.getByRole('button', { name: 'Salvar' }).click();
  await page.getByRole('button', { name: `Conta de ${name}`, exact: true }).waitFor();
  const editor = await edit();
  await editor.getByLabel('Papel').selectOption('leitor');
  await editor.getByRole('button', { name: 'Salvar' }).click();
  await page.getByText('Sua conta mudou: entre de novo.').waitFor();
  await second.getByText('Sua sessão terminou. Entre de novo').waitFor();
  await fillSignInAs(page, address, PASSWORD);
  await page.getByRole('heading', { level: 1, name: 'Sua conta não tem acesso a esta seção' }).waitFor();
  await expect.poll(() => dialogs(second)).toBe(0);
});

it('whoever removes the own account is out', async () => {
  allow(REFUSALS);
  const address = await account('admin');
  const page = await visit('/contas');
  await enter(page, address);
  await page.getByRole('row').filter({ hasText: address }).getByRole('button', { name: /Remover a conta/ }).click();
  await page.getByRole('dialog', { name: 'Remover esta conta?' }).getByRole('button', { name: 'Remover' }).click();
  await page.getByText('Sua conta foi removida.').waitFor();
  await page.getByText('Esta seção pede login').waitFor();
  expect(await dialogs(page)).toBe(0);
});

it('a sign-out in one window is one in the other', async () => {
  const page = await visit('/entregas');
  await signIn(page, 'operador');
  const second = await another(page, '/leads');
  await second.getByRole('heading', { level: 1, name: 'Leads' }).waitFor();
  await page.getByRole('button', { name: /^Conta de/ }).click();
  await page.getByRole('menuitem', { name: 'Sair' }).click();
  await page.getByText('Você saiu.').waitFor();
  for (const one of [page, second]) {
    await one.getByText('Esta seção pede login').waitFor();
    expect(await one.evaluate(() => sessionStorage.getItem('alicerce.sessao'))).toBeNull();
  }
});

it('a wrong password is told in the page’s language', async () => {
  allow(REFUSALS);
  const page = await visit('/posts', { locale: 'en-US' });
  await page.getByRole('button', { name: 'Sign in' }).click();
  const dialog = page.getByRole('dialog', { name: 'Sign in' });
  await dialog.getByLabel('E-mail').fill('admin@exemplo.com.br');
  await dialog.getByLabel('Password', { exact: true }).fill('wrong wrong wrong');
  await page.keyboard.press('Enter');
  await dialog.getByRole('alert').getByText('Wrong e-mail or password').waitFor();
});
