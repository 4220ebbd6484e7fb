// Two people at once, and what the stack tells by itself.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { api, deliver, newPost, token } from './support/stack';
import { allow, another, REFUSALS, signIn, useBrowser, visit } from './support/browser';

useBrowser();

const random = (): string => Math.random().toString(36).slice(2, 8);
const live = (page: Page): Promise<void> => page.getByText('ao vivo', { exact: true }).waitFor();

/** Requests for a path from now on: what comes by the stream costs none. */
function asked(page: Page, path: string): () => number {
  let count = 0;
  page.on('request', (request) => {
    if (new URL(request.url()).pathname === path) count++;
  });
  return () => count;
}

// Fails when another() opens a tab.
it('a window that lies behind draws, too, after a click in it', async () => {
  const page = await visit('/posts');
  await another(page, '/agora');
  await page.getByRole('button', { name: 'Preferências' }).click();
  await page.waitForTimeout(1500);
  const frames = await page.evaluate(() => new Promise<number>((resolve) => {
    let count = 0;
    const frame = (): void => {
      count++;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    setTimeout(() => resolve(count), 3000);
  }));
  expect(frames).toBeGreaterThan(12);
  await page.getByRole('menuitemradio', { name: 'Escuras' }).click();
});

it('a post written by one is seen by the other at once', async () => {
  const [one, other] = [await visit('/posts/novo'), await visit('/posts')];
  await signIn(other, 'leitor');
  await live(other);
  await other.getByRole('article').first().waitFor();
  const titulo = `Visto ao lado ${random()}`;
  await one.getByLabel('Título').fill(titulo);
  await one.getByLabel('Texto', { exact: true }).fill('x');
  await one.getByRole('button', { name: 'Publicar' }).click();
  // By the stream: the list itself is asked for once a minute while it is open.
  await expect.poll(() => other.getByRole('article').first().innerText(), { timeout: 10_000 }).toContain(titulo);
  const { id } = await newPost(`Some logo ${random()}`);
  await other.getByRole('article').filter({ hasText: `nº ${id}` }).waitFor({ timeout: 10_000 });
  await api('DELETE', `/api/posts/${id}`, undefined, await token('admin'));
  await other.getByRole('article').filter({ hasText: `nº ${id}` }).waitFor({ state: 'detached', timeout: 10_000 });
});

it('a pause by one is seen by the other, and so is the end of it', async () => {
  const [one, other] = [await visit('/entregas'), await visit('/entregas')];
  await signIn(one, 'operador');
  await signIn(other, 'admin');
  await other.getByRole('button', { name: 'Pausar a fila' }).waitFor();
  await one.getByRole('button', { name: 'Pausar a fila' }).click();
  await one.getByRole('dialog').getByRole('button', { name: 'Pausar a fila' }).click();
  try {
    await one.getByText('Fila em pausa.').waitFor();
    await other.getByText(/A fila está em pausa desde .* por olga@/).waitFor({ timeout: 20_000 });
  } finally {
    await other.getByRole('button', { name: 'Retomar a fila' }).click();
    await other.getByRole('dialog').getByRole('button', { name: 'Retomar a fila' }).click();
  }
  await one.getByRole('button', { name: 'Pausar a fila' }).waitFor({ timeout: 20_000 });
});

it('a replay by one is seen by the other', async () => {
  allow(REFUSALS);
  const admin = await token('admin');
  const dead = async (): Promise<number> => (await api<{ entregas: { id: number }[] }>('GET', '/api/entregas?estado=morta', undefined, admin)).entregas[0]?.id ?? 0;
  const before = await dead();
  await deliver(`isto não é JSON: ${random()}`);
  await expect.poll(dead, { timeout: 20_000 }).toBeGreaterThan(before);
  const id = await dead();
  const [one, other] = [await visit(`/entregas/${id}`), await visit(`/entregas/${id}`)];
  await signIn(one, 'operador');
  await signIn(other, 'admin');
  await live(other);
  await other.getByText('isto não é JSON').first().waitFor();
  await one.getByRole('button', { name: 'Reenviar', exact: true }).click();
  await one.getByRole('dialog').getByRole('button', { name: 'Reenviar' }).click();
  const history = other.getByRole('region', { name: 'Tentativas e erros' });
  await expect.poll(() => history.innerText(), { timeout: 20_000 }).toMatch(/Reenvio[\s\S]*por olga@/);
});

it('samples and counts come by the stream, without a request', async () => {
  const page = await visit('/agora');
  await signIn(page, 'leitor');
  await live(page);
  await page.getByText('Ver como tabela').click({ timeout: 30_000 });
  const newest = page.locator('.charts-table__scroll').getByRole('row').nth(1);
  await newest.waitFor();
  const counted = page.getByText('requisições contadas').locator('..').locator('dd');
  const [row, count] = [await newest.innerText(), await counted.innerText()];
  const [samples, stats] = [asked(page, '/api/amostras'), asked(page, '/api/stats')];
  for (let i = 0; i < 3; i++) await api('GET', '/api/contador');
  await expect.poll(() => counted.innerText(), { timeout: 20_000 }).not.toBe(count);
  await expect.poll(() => newest.innerText(), { timeout: 30_000 }).not.toBe(row);
  expect([samples(), stats()]).toEqual([0, 0]);
});
