import { expect, it } from 'vitest';
import { control, email, PASSWORD } from './support/stack';
import { allow, another, expectAccessible, fillSignIn, inAllLooks, REFUSALS, signIn, useBrowser, visit } from './support/browser';

useBrowser();

/** A visitor with an hour of samples, for pictures that say something. */
function samples(): object {
  const now = Date.now();
  const amostras = Array.from({ length: 720 }, (_, i) => {
    const wave = 1 + Math.sin(i / 40);
    return {
      em: new Date(now - (720 - i) * 5000).toISOString(), instancias: 2, requisicoes_s: 80 + 60 * wave, erros_s: i % 97 === 0 ? 2 : 0,
      p50_ms: 1.5 + wave, p99_ms: 8 + 6 * wave, fila: { comprimento: Math.round(20 * wave), mais_antiga_s: wave * 2, em_maos: 4 }, workers: 1,
    };
  });
  return { intervalo_s: 5, amostras };
}

it('shows the state in every look, with no session', async () => {
  await inAllLooks('agora', async (options) => {
    const page = await visit('/agora', options);
    await expect.poll(() => page.getByText('responde', { exact: true }).count()).toBe(3);
    return page;
  });
});

it('shows the charts to whoever is signed in, and as a table', async () => {
  allow(REFUSALS);
  await inAllLooks('agora-graficos', async (options) => {
    const page = await visit('/agora', options);
    await page.route('**/api/amostras', (route) => route.fulfill({ json: samples() }));
    await signIn(page, 'leitor');
    await expect.poll(() => page.getByRole('img', { name: /Tempo de resposta/ }).count()).toBe(1);
    await page.getByRole('img', { name: /Tempo de resposta/ }).locator('canvas').waitFor();
    return page;
  });
});

it('says in words which part is away', async () => {
  allow(REFUSALS);
  const page = await visit('/agora');
  await control('stop', 'redis');
  try {
    await page.getByText('sem conexão').waitFor({ timeout: 30_000 });
    await expectAccessible(page);
  } finally {
    await control('start', 'redis');
  }
  await expect.poll(() => page.getByText('responde', { exact: true }).count(), { timeout: 30_000 }).toBe(3);
});

it('colours and language by hand outlast a reload', async () => {
  const page = await visit('/posts');
  await page.getByRole('button', { name: 'Preferências' }).click();
  await page.getByRole('menuitemradio', { name: 'Escuras' }).waitFor();
  await expectAccessible(page);
  await page.getByRole('menuitemradio', { name: 'Escuras' }).click();
  expect(await page.evaluate(() => document.documentElement.dataset.theme)).toBe('dark');
  await page.getByRole('button', { name: 'Preferências' }).click();
  await page.getByRole('menuitemradio', { name: 'English' }).click();
  await page.getByRole('link', { name: 'Write a post' }).waitFor();
  await page.reload();
  await page.getByRole('link', { name: 'Write a post' }).waitFor();
  expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dataset.theme])).toEqual(['en', 'dark']);
});

it('follows the browser into English', async () => {
  const page = await visit('/posts', { locale: 'en-GB' });
  await page.getByRole('link', { name: 'Write a post' }).waitFor();
  await expectAccessible(page);
});

it('says that a password is wrong, and signs in with the right one; a second window is signed in, too', async () => {
  allow(REFUSALS);
  const page = await visit('/posts');
  await page.getByRole('button', { name: 'Entrar' }).click();
  const dialog = page.getByRole('dialog', { name: 'Entrar' });
  await dialog.getByLabel('E-mail').fill(email('leitor'));
  await dialog.getByLabel('Senha', { exact: true }).fill(`${PASSWORD}!`);
  await dialog.getByRole('button', { name: 'Entrar' }).click();
  await dialog.getByText('E-mail ou senha incorretos').waitFor();
  await expectAccessible(page);
  await fillSignIn(page, 'leitor');
  await page.getByRole('button', { name: 'Conta de Leo Leitor' }).waitFor();
  await page.reload();
  await page.getByRole('button', { name: 'Conta de Leo Leitor' }).waitFor();
  const second = await another(page, '/agora');
  await second.getByRole('button', { name: 'Conta de Leo Leitor' }).waitFor();
  await page.getByRole('button', { name: 'Conta de Leo Leitor' }).click();
  await page.getByRole('menuitem', { name: 'Sair' }).click();
  await second.getByRole('button', { name: 'Entrar' }).first().waitFor();
});

it('asks for a sign-in over the page when the session ended, and what was typed is sent', async () => {
  allow(REFUSALS);
  const page = await visit('/posts/1');
  await signIn(page, 'operador');
  await page.getByRole('link', { name: 'Editar' }).click();
  await page.getByLabel('Texto', { exact: true }).fill('digitado antes do fim');
  const held = await page.evaluate(() => (JSON.parse(sessionStorage.getItem('alicerce.sessao') ?? '{}') as { token: string }).token);
  await page.request.post(new URL('/api/auth/logout', page.url()).href, { headers: { Authorization: `Bearer ${held}` } });
  await page.getByRole('button', { name: 'Salvar' }).click();
  await page.getByText('nada do que você digitou se perdeu').waitFor();
  await expectAccessible(page);
  await fillSignIn(page, 'operador');
  await expect.poll(() => page.locator('.post__text').innerText()).toBe('digitado antes do fim');
});

it('shows the reference of the API in every look', async () => {
  await inAllLooks('docs', async (options) => {
    const page = await visit('/docs', options);
    await page.locator('.opblock-summary-path').first().waitFor({ timeout: 30_000 });
    return page;
  });
});

it('skips to the content by the keyboard', async () => {
  const page = await visit('/posts');
  await page.getByRole('article').first().waitFor();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('conteudo');
});
