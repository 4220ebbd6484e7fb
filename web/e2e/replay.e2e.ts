// All that a filter matches, sent again: counted, confirmed, followed to its end; and filters with a name.
import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { allow, expectAccessible, REFUSALS, shot, signIn, useBrowser, visit } from './support/browser';
import { api, deliver, sql, token } from './support/stack';

useBrowser();

const random = (): string => Math.random().toString(36).slice(2, 8);
const inDialog = (page: Page): Locator => page.getByRole('dialog', { name: 'Reenviar tudo o que combina' });
const status = (page: Page): Locator => page.getByRole('main').getByRole('status').filter({ hasText: 'processadas de novo' });

function notice(id: string): object {
  const now = Math.floor(Date.now() / 1000);
  return { object: 'page', entry: [{ id: '1029384756', time: now, changes: [{ field: 'leadgen', value: { leadgen_id: id, page_id: '1029384756', form_id: '888000888', created_time: now } }] }] };
}

/** So many dead letters of one reason; the first `broken` of them die again. Made by hand: what killed them has passed. */
async function deadLetters(count: number, broken: number): Promise<string> {
  const motivo = `falha que passou ${random()}`;
  const after = Number(sql('SELECT coalesce(max(id), 0) FROM entregas'));
  for (let i = 0; i < count; i++) await deliver(i < broken ? `isto não é JSON: ${random()}` : notice(`${Date.now()}${i}`));
  const settled = (): number => Number(sql(`SELECT count(*) FROM entregas WHERE id > ${after} AND estado <> 'pendente'`));
  await expect.poll(settled, { timeout: 20_000 }).toBe(count);
  sql(`UPDATE entregas SET estado = 'morta', motivo = '${motivo}' WHERE id > ${after}`);
  return motivo;
}

async function pause(verb: 'pausar' | 'retomar'): Promise<void> {
  await api('POST', `/api/fila/${verb}`, {}, await token('admin'));
}

const path = (motivo: string): string => `/entregas?${new URLSearchParams({ estado: 'morta', motivo }).toString()}`;

it('sends again all that a filter matches: how many, which, how far it is, how it ended', async () => {
  const motivo = await deadLetters(6, 1);
  const page = await visit(path(motivo));
  await signIn(page, 'operador');
  await expect.poll(() => page.getByRole('table', { name: 'Lista de entregas' }).getByRole('row').count()).toBe(7);
  await pause('pausar');
  try {
    await page.getByRole('button', { name: 'Reenviar todas' }).click();
    const dialog = inDialog(page);
    await dialog.getByText('6 entregas combinam com:').waitFor();
    expect(await dialog.getByRole('listitem').allInnerTexts()).toEqual(['Estado: morta', `Motivo: ${motivo}`]);
    await expectAccessible(page);
    await shot(page, 'reenviar-todas-light-desktop');
    const most = dialog.getByLabel('No máximo');
    await most.fill('0');
    expect(await most.getAttribute('aria-invalid')).toBe('true');
    await most.fill('4');
    await dialog.getByRole('button', { name: 'Reenviar até 4' }).waitFor();
    await most.fill('100');
    await dialog.getByRole('button', { name: 'Reenviar 6 entregas' }).click();
    await page.getByRole('heading', { level: 1, name: /Reenvio nº \d+/ }).waitFor();
    // Nothing is worked on while the queue is paused.
    await page.getByRole('main').getByText('em andamento').waitFor();
    expect(await status(page).innerText()).toMatch(/^0 de \d/);
    await expectAccessible(page);
    await shot(page, 'reenvio-andando-light-desktop');
  } finally {
    await pause('retomar');
  }
  await page.getByText('Terminou: 1 morreu de novo.').waitFor({ timeout: 30_000 });
  expect(await status(page).innerText()).toBe('6 de 6 processadas de novo');
  await expectAccessible(page);
  await shot(page, 'reenvio-terminado-light-desktop');
  expect(await page.getByRole('progressbar').evaluate((bar) => [(bar as HTMLProgressElement).value, (bar as HTMLProgressElement).max])).toEqual([6, 6]);
  await page.getByRole('link', { name: 'Ver as entregas deste filtro' }).click(); // none has this reason any more
  await page.getByText('Nenhuma entrega combina com estes filtros.').waitFor();
  await page.getByRole('link', { name: 'Reenvios em lote' }).click();
  const first = page.getByRole('region', { name: 'Lista de reenvios' }).locator('tbody tr').first();
  await expect.poll(() => first.innerText()).toMatch(/concluído[\s\S]*6 de 6 processadas de novo[\s\S]*olga@/);
});

it('a replay of many can be cancelled, and what was not begun stays as it was', async () => {
  const motivo = await deadLetters(3, 0);
  const page = await visit(path(motivo));
  await signIn(page, 'operador');
  await page.getByRole('table', { name: 'Lista de entregas' }).getByRole('row').nth(3).waitFor();
  await pause('pausar');
  try {
    await page.getByRole('button', { name: 'Reenviar todas' }).click();
    await inDialog(page).getByRole('button', { name: 'Reenviar 3 entregas' }).click();
    await page.getByRole('button', { name: 'Cancelar o reenvio' }).click();
    const dialog = page.getByRole('dialog', { name: 'Cancelar este reenvio?' });
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Cancelar o reenvio' }).click();
    await page.getByText('Reenvio cancelado.').waitFor();
    await page.getByRole('main').getByText('cancelado', { exact: true }).waitFor();
  } finally {
    await pause('retomar');
  }
});

it('says why not all can be sent again, and that nothing matches', async () => {
  allow(REFUSALS);
  const page = await visit('/entregas');
  await signIn(page, 'operador');
  const button = page.getByRole('button', { name: 'Reenviar todas' });
  await page.getByText('Para reenviar todas, filtre por um estado').waitFor();
  expect(await button.getAttribute('aria-disabled')).toBe('true');
  await page.goto(new URL(path(`nada disso ${random()}`), page.url()).href);
  await button.click();
  await inDialog(page).getByText('Nenhuma entrega combina agora.').waitFor();
  expect(await inDialog(page).getByRole('button', { name: /^Reenviar/ }).count()).toBe(0);
  await expectAccessible(page);
});

it.each([['entregas', '?estado=morta&desde=24h'], ['eventos', '?campo=value.form_id&valor=888000888']] as const)('filters of %s get a name, outlast a reload, are shared by their address, and are forgotten', async (list, search) => {
  const page = await visit(`/${list}${search}`, { permissions: ['clipboard-read', 'clipboard-write'] });
  await signIn(page, 'operador');
  const name = `As de hoje ${random()}`;
  await page.getByText('Filtros salvos', { exact: true }).click();
  await page.getByLabel('Nome para estes filtros').fill(name);
  await page.getByRole('button', { name: 'Salvar' }).click();
  await page.getByText(`Filtros salvos como “${name}”.`).waitFor();
  await expectAccessible(page);
  await page.goto(new URL(`/${list}`, page.url()).href); // a reload, and without the filters
  await page.getByText('Filtros salvos (1)').click();
  await page.getByRole('button', { name: `Copiar o endereço de ${name}` }).click();
  await page.getByText('Endereço copiado.').waitFor();
  const shared = new URL(await page.evaluate(() => navigator.clipboard.readText()));
  await page.getByRole('link', { name, exact: true }).click();
  await expect.poll(() => new URL(page.url()).search).toBe(search);
  expect([shared.pathname, shared.search]).toEqual([`/${list}`, search]);
  // Somebody else, with nothing but the address.
  const other = await visit(shared.pathname + shared.search);
  await signIn(other, 'leitor');
  if (list === 'entregas') await other.getByRole('button', { name: 'Tirar o filtro Estado: morta' }).waitFor();
  else await expect.poll(() => other.getByLabel('Valor').inputValue()).toBe('888000888');
  expect(new URL(other.url()).search).toBe(search);
  await page.getByRole('button', { name: `Esquecer ${name}` }).click();
  await page.getByText('Nenhum ainda. Escolha filtros').waitFor();
  await page.reload();
  await page.getByText('Filtros salvos', { exact: true }).waitFor();
});
