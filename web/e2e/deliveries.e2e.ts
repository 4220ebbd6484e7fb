import { expect, it } from 'vitest';
import { api, deliver, token } from './support/stack';
import { allow, expectAccessible, REFUSALS, signIn, useBrowser, visit } from './support/browser';

useBrowser();

interface Row { id: number; estado: string; tentativas: number }
const LOOKS = ['light', 'dark'] as const;

async function deadLetter(): Promise<number> {
  const admin = await token('admin');
  const dead = async (): Promise<Row[]> => (await api<{ entregas: Row[] }>('GET', '/api/entregas?estado=morta', undefined, admin)).entregas;
  const before = (await dead())[0]?.id ?? 0;
  await deliver(`isto não é JSON: ${Math.random()}`);
  await expect.poll(async () => (await dead())[0]?.id ?? 0, { timeout: 20_000 }).toBeGreaterThan(before);
  return (await dead())[0]?.id ?? 0;
}

it.each(LOOKS)('lists, filters and opens deliveries: %s', async (colorScheme) => {
  const id = await deadLetter();
  const page = await visit('/entregas?estado=morta', { colorScheme });
  await signIn(page, 'operador');
  const table = page.getByRole('table', { name: 'Lista de entregas' });
  const link = table.getByRole('link', { name: `Abrir a entrega nº ${id}` });
  await link.waitFor();
  expect(await table.innerText()).toContain('não é um JSON válido');
  await expectAccessible(page);
  await link.click();
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe(`Entrega nº ${id}`);
  await page.getByText('isto não é JSON: ').waitFor();
  expect(page.url()).toContain('estado=morta'); // the filters come along
  await expectAccessible(page);
});

it('replays a dead letter and shows how it ended', async () => {
  allow(REFUSALS);
  const id = await deadLetter();
  const page = await visit(`/entregas/${id}`);
  await signIn(page, 'operador');
  await page.getByRole('button', { name: 'Reenviar', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: `Reenviar a entrega nº ${id}?` });
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Reenviar' }).click();
  await page.getByText(`Entrega nº ${id} de volta à fila.`).waitFor();
  const history = page.getByRole('region', { name: 'Tentativas e erros' }).getByRole('listitem');
  await expect.poll(async () => (await history.allInnerTexts()).join(' '), { timeout: 20_000 }).toMatch(/Reenvio[\s\S]*por olga@/);
  await expect.poll(() => page.locator('.split__detail').getByRole('status').first().innerText(), { timeout: 20_000 }).toMatch(/morta|processada/);
});

it.each(LOOKS)('sends a test event and follows it to its delivery: %s', async (colorScheme) => {
  const page = await visit('/teste', { colorScheme });
  await signIn(page, 'operador');
  await page.getByRole('button', { name: 'Enviar um evento de teste' }).click();
  const followed = page.getByRole('region', { name: 'O que aconteceu' });
  await followed.getByText('Processada', { exact: true }).waitFor({ timeout: 20_000 });
  await expectAccessible(page);
  await followed.getByRole('link', { name: /Abrir a entrega/ }).click();
  await page.getByText('alicerce/teste').waitFor();
  await page.getByRole('link', { name: 'Ver os eventos com o conteúdo' }).click();
  await page.getByRole('table', { name: 'Lista de eventos' }).getByRole('link').first().waitFor();
  await expectAccessible(page);
});

it('says where a test event of one’s own is no JSON, and does not send it', async () => {
  const page = await visit('/teste');
  await signIn(page, 'operador');
  const body = page.getByLabel('Conteúdo (JSON)');
  await body.fill('{\n  "object": x\n}');
  await page.getByText('Não é JSON: linha 2, coluna 13.').waitFor();
  await expectAccessible(page);
  await body.fill('[]');
  await page.getByText('Precisa ser um objeto').waitFor();
});

it('a reader sees deliveries without personal data, and no button', async () => {
  const id = await deadLetter();
  const page = await visit(`/entregas/${id}`);
  await signIn(page, 'leitor');
  await page.getByText('O conteúdo não está mais guardado, ou seu papel').waitFor();
  expect(await page.getByRole('button', { name: 'Reenviar', exact: true }).count()).toBe(0);
  await expectAccessible(page);
});
