import { expect, it } from 'vitest';
import { expectAccessible, signIn, useBrowser, visit, allow, REFUSALS } from './support/browser';

useBrowser();

/** One red pixel. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==', 'base64');

it.each(['light', 'dark'] as const)('sends a picture, lists it and removes it: %s', async (colorScheme) => {
  const name = `ponto-${colorScheme}.png`;
  const page = await visit('/arquivos', { colorScheme });
  await signIn(page, 'operador');
  await page.getByRole('button', { name: 'Enviar arquivos' }).waitFor();
  await page.locator('input[type=file]').setInputFiles({ name, mimeType: 'image/png', buffer: PNG });
  const card = page.locator('.file').filter({ hasText: name });
  await card.waitFor();
  expect(await card.innerText()).toContain('Olga Operadora');
  await expect.poll(() => card.locator('img').evaluate((img) => (img as HTMLImageElement).naturalWidth)).toBe(1);
  await expectAccessible(page);
  await card.getByRole('button', { name: `Remover ${name}` }).click();
  const dialog = page.getByRole('dialog', { name: 'Remover este arquivo?' });
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Remover' }).click();
  await card.waitFor({ state: 'detached' });
});

it('says why a file is not taken; a reader is not offered to send', async () => {
  allow(REFUSALS);
  const page = await visit('/arquivos');
  await signIn(page, 'operador');
  await page.getByRole('button', { name: 'Enviar arquivos' }).waitFor();
  await page.locator('input[type=file]').setInputFiles({ name: 'falso.png', mimeType: 'image/png', buffer: Buffer.from('MZ não é uma imagem') });
  await page.getByText('Este tipo de arquivo não é aceito.').waitFor();
  await expectAccessible(page);
  const reader = await visit('/arquivos');
  await signIn(reader, 'leitor');
  await reader.getByRole('heading', { level: 1, name: 'Arquivos' }).waitFor();
  expect(await reader.getByRole('button', { name: 'Enviar arquivos' }).count()).toBe(0);
});
