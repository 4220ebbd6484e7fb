// Every view in the light and in the dark on a desktop, and on a phone: a picture of each (docs/screens), and axe.
import { expect, it } from 'vitest';
import { api, deliver, newPost, sql, token } from './support/stack';
import { allow, expectAccessible, expectNoSidewaysScroll, LOOKS, REFUSALS, shot, signIn, useBrowser, visit } from './support/browser';

useBrowser();

/** One red pixel. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==', 'base64');
const PEOPLE = [['Márcia Araújo', 'marcia@exemplo.com.br'], ['João da Silva', 'joao@exemplo.com.br'], ['Ana Beatriz Nunes', 'ana@exemplo.com.br']] as const;

/** Names of pictures and addresses. */
const views: [string, string][] = [];

it('has something to show', async () => {
  const admin = await token('admin');
  const { id: post } = await newPost('O que há por trás', 'Um servidor em C, uma fila que não perde nada e uma página que mostra tudo isso ao vivo.', 'Equipe Alicerce');
  await deliver('isto não é JSON');
  await Promise.all(PEOPLE.map(() => api('POST', '/api/entregas/teste', {}, admin)));
  const get = <T>(path: string): Promise<T> => api<T>('GET', path, undefined, admin);
  await expect.poll(async () => (await get<{ eventos: unknown[] }>('/api/eventos')).eventos.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(PEOPLE.length);
  const { leads } = await get<{ leads: { leadgen_id: string }[] }>('/api/leads');
  PEOPLE.forEach(([nome, email], i) => sql(`UPDATE leads SET estado = 'completo', nome = '${nome}', email = '${email}', telefone = '+551198765432${i}', consultado_em = now(),
    campos = '[{"name":"full_name","values":["${nome}"]},{"name":"email","values":["${email}"]}]' WHERE leadgen_id = '${leads[i]?.leadgen_id ?? ''}'`));
  await fetch(new URL('/api/arquivos?nome=ponto.png', process.env.FRONT_URL), { method: 'POST', body: PNG, headers: { 'Content-Type': 'image/png', ...admin } });
  const job = await api<{ id: number }>('POST', '/api/reenvios', { estado: 'morta', maximo: 100 }, admin);
  const [dead] = (await get<{ entregas: { id: number }[] }>('/api/entregas?estado=morta')).entregas;
  const [event] = (await get<{ eventos: { id: number }[] }>('/api/eventos')).eventos;
  views.push(
    ['post', `/posts/${post}`], ['post-novo', '/posts/novo'], ['post-editar', `/posts/${post}/editar`],
    ['leads', '/leads'], ['lead', `/leads/${leads[0]?.leadgen_id ?? ''}`],
    ['entregas', '/entregas'], ['entrega', `/entregas/${dead?.id ?? 1}`], ['reenvios', '/reenvios'], ['reenvio', `/reenvios/${job.id}`], ['teste', '/teste'],
    ['eventos', '/eventos'], ['evento', `/eventos/${event?.id ?? 1}`], ['arquivos', '/arquivos'], ['contas', '/contas'], ['auditoria', '/auditoria'],
  );
});

it.each(LOOKS)('shows every view: %s, %s', async (colorScheme, size, viewport) => {
  allow(REFUSALS);
  const page = await visit('/leads', { colorScheme, viewport });
  const look = async (name: string): Promise<void> => {
    await shot(page, `${name}-${colorScheme}-${size}`);
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
  };
  await page.getByRole('main').getByRole('button', { name: 'Entrar' }).waitFor();
  await look('pede-login');
  await page.getByRole('main').getByRole('button', { name: 'Entrar' }).click();
  await page.getByRole('dialog', { name: 'Entrar' }).getByLabel('E-mail').waitFor();
  await look('entrar');
  await page.getByRole('dialog').getByRole('button', { name: 'Cancelar' }).click();
  await signIn(page, 'admin');
  for (const [name, path] of views) {
    await page.goto(new URL(path, page.url()).href);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(500);
    await expect.poll(() => page.locator('main [aria-busy="true"], main .skeleton').count()).toBe(0);
    await look(name);
  }
}, 120_000);
