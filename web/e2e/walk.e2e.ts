// A new user with no manual: writes a post, finds a lead, and brings a dead letter through. A picture of each step.
import { expect, it } from 'vitest';
import { api, deliver, token } from './support/stack';
import { allow, expectAccessible, fillSignIn, REFUSALS, shot, useBrowser, visit } from './support/browser';

useBrowser();

it('a new user writes a post, finds a lead and brings a dead letter through', async () => {
  allow(REFUSALS);
  const admin = await token('admin');
  const lead = String(BigInt(Date.now()) * 100n);
  const now = Math.floor(Date.now() / 1000);
  const value = { leadgen_id: lead, page_id: '1029384756', form_id: '777777777', created_time: now };
  await deliver({ object: 'page', entry: [{ id: '1029384756', time: now, changes: [{ field: 'leadgen', value }] }] });
  // What a proxy cut off on its way: signed, and no JSON.
  const cut = `{"object":"page","entry":[{"id":"1029384756","time":${now},"changes":[{"field":"leadgen","value":${JSON.stringify({ ...value, leadgen_id: `${lead}9` })}}]}`;
  await deliver(cut);
  const dead = async (): Promise<number> => (await api<{ entregas: { id: number }[] }>('GET', '/api/entregas?estado=morta', undefined, admin)).entregas.length;
  await expect.poll(dead, { timeout: 20_000 }).toBeGreaterThan(0);

  let step = 0;
  const page = await visit('/');
  const picture = async (name: string): Promise<void> => {
    await page.waitForTimeout(200);
    await shot(page, `passeio-${++step}-${name}`);
  };
  // A post.
  await page.getByRole('article').first().waitFor();
  await picture('chegada');
  await page.getByRole('link', { name: 'Escrever um post' }).click();
  await page.getByLabel('Título').fill('Meu primeiro post');
  await page.getByLabel('Texto', { exact: true }).fill('Escrito sem manual.');
  await picture('escrever');
  await page.getByRole('button', { name: 'Publicar' }).click();
  await expect.poll(() => page.getByRole('article').first().innerText()).toContain('Meu primeiro post');
  await picture('publicado');
  // A lead.
  await page.getByRole('link', { name: /^Leads/ }).click();
  await picture('leads-fechado');
  await page.getByRole('main').getByRole('button', { name: 'Entrar' }).click();
  await picture('entrar');
  await fillSignIn(page, 'operador');
  await page.getByLabel('Procurar').fill(lead);
  const found = page.getByRole('table', { name: 'Leads' }).getByRole('link', { name: lead });
  await expect.poll(() => page.getByRole('table', { name: 'Leads' }).getByRole('row').count()).toBe(2);
  await picture('lead-achado');
  await found.click();
  await page.getByRole('heading', { level: 1, name: `Lead ${lead}` }).waitFor();
  await picture('lead');
  // A dead letter: found by its count, read, sent again as it is (and dead again), then mended and sent.
  await page.getByRole('link', { name: 'Entregas', exact: true }).click();
  await page.getByRole('region', { name: 'Fila' }).getByText('mortas').waitFor();
  await picture('entregas');
  await page.getByRole('region', { name: 'Fila' }).getByRole('link', { name: 'mortas' }).click();
  await page.getByRole('table', { name: 'Lista de entregas' }).getByRole('link').first().click();
  await page.getByRole('heading', { level: 1, name: /Entrega nº/ }).waitFor();
  await page.getByRole('region', { name: 'Conteúdo', exact: true }).waitFor();
  await picture('morta');
  await page.getByRole('button', { name: 'Reenviar', exact: true }).click();
  await picture('reenviar');
  await page.getByRole('dialog').getByRole('button', { name: 'Reenviar' }).click();
  const history = page.getByRole('region', { name: 'Tentativas e erros' });
  await expect.poll(() => history.innerText(), { timeout: 20_000 }).toMatch(/Reenvio[\s\S]*morta|morta[\s\S]*Reenvio/);
  await picture('morta-de-novo');
  await page.getByRole('link', { name: 'Editar e enviar como teste' }).click();
  const body = page.getByLabel('Conteúdo (JSON)');
  await page.getByText(/Não é JSON: linha 1, coluna \d+/).waitFor();
  await picture('emendar');
  await body.fill(`${await body.inputValue()}]}`);
  await page.getByRole('button', { name: 'Enviar este conteúdo' }).click();
  await page.getByRole('region', { name: 'O que aconteceu' }).getByText('Processada', { exact: true }).waitFor({ timeout: 20_000 });
  await expectAccessible(page);
  await picture('emendada');
  await page.getByRole('link', { name: /Abrir a entrega/ }).click();
  await page.getByRole('link', { name: /page \/ leadgen/ }).waitFor();
  await picture('entregue');
}, 120_000);
