// Each view while it waits, when the API fails, without a network, and with nothing to show: in both languages, in the
// light on a desktop and in the dark on a phone, with axe.
import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import enCommon from '../src/i18n/locales/en/common';
import enDeliveries from '../src/i18n/locales/en/deliveries';
import enEvents from '../src/i18n/locales/en/events';
import enFiles from '../src/i18n/locales/en/files';
import enLeads from '../src/i18n/locales/en/leads';
import enNow from '../src/i18n/locales/en/now';
import enPosts from '../src/i18n/locales/en/posts';
import enAudit from '../src/i18n/locales/en/audit';
import audit from '../src/i18n/locales/pt/audit';
import common from '../src/i18n/locales/pt/common';
import deliveries from '../src/i18n/locales/pt/deliveries';
import events from '../src/i18n/locales/pt/events';
import files from '../src/i18n/locales/pt/files';
import leads from '../src/i18n/locales/pt/leads';
import now from '../src/i18n/locales/pt/now';
import posts from '../src/i18n/locales/pt/posts';
import { Answers, DETAIL, problem, REQUEST_ID } from './support/answers';
import { allow, DESKTOP, expectAccessible, expectNoSidewaysScroll, PHONE, REFUSALS, signIn, useBrowser, visit } from './support/browser';
import { api, control, newPost, token } from './support/stack';

useBrowser();

const OFFLINE = /ERR_INTERNET_DISCONNECTED/;
/** What the browser and React say of code that did not come. */
const NO_CODE = /Unable to preload CSS|Couldn't load preload assets|dynamically imported module/;

const PT = { audit, common, deliveries, events, files, leads, now, posts };
const EN: typeof PT = { audit: enAudit, common: enCommon, deliveries: enDeliveries, events: enEvents, files: enFiles, leads: enLeads, now: enNow, posts: enPosts };
type Words = typeof PT;

interface View {
  name: string;
  path: string;
  /** What it reads. */
  reads: RegExp;
  /** There once it was read. */
  ready: (page: Page) => Locator;
  /** What the API says when there is nothing, and how the view says it; a view that always has something has none. */
  empty?: [ReturnType<typeof problem>, (words: Words) => string];
}

const nothing = (name: string, more: object = {}): ReturnType<typeof problem> => ({ status: 200, json: { [name]: [], proximo: null, redigido: false, ...more } });
const gone = problem(404, 'Não encontrado', 'não existe');
const row = (page: Page): Locator => page.locator('main tbody tr').first();
const json = (page: Page): Locator => page.locator('main .json__row').first();

interface Ids {
  post: number;
  lead: string;
  delivery: number;
  event: number;
  job: number;
}

const views = (ids: Ids): View[] => [
  { name: 'posts', path: '/posts', reads: /^\/api\/posts$/, ready: (page) => page.getByRole('article').first(), empty: [nothing('posts', { fonte: 'banco_de_dados' }), (words) => words.posts.emptyTitle] },
  { name: 'posts-cache', path: '/posts?fonte=cache', reads: /^\/api\/posts\/cache$/, ready: (page) => page.getByRole('article').first(), empty: [nothing('posts', { fonte: 'cache' }), (words) => words.posts.emptyTitle] },
  { name: 'post', path: `/posts/${ids.post}`, reads: /^\/api\/posts\/\d+$/, ready: (page) => page.locator('.post__text'), empty: [gone, (words) => words.posts.goneTitle] },
  { name: 'post-editar', path: `/posts/${ids.post}/editar`, reads: /^\/api\/posts\/\d+$/, ready: (page) => page.locator('textarea[name=conteudo]'), empty: [gone, (words) => words.posts.goneTitle] },
  { name: 'agora', path: '/agora', reads: /^\/api\/(amostras|stats)$/, ready: (page) => page.locator('.chart canvas').first(), empty: [{ status: 200, json: { intervalo_s: 5, amostras: [], total_posts: 0, total_requisicoes: 0 } }, (words) => words.now.noSamples] },
  { name: 'leads', path: '/leads', reads: /^\/api\/leads$/, ready: row, empty: [nothing('leads'), (words) => words.leads.emptyTitle] },
  { name: 'lead', path: `/leads/${ids.lead}`, reads: /^\/api\/leads\/\d+$/, ready: (page) => page.locator('.lead-sheet'), empty: [gone, (words) => words.leads.goneTitle] },
  { name: 'entregas', path: '/entregas', reads: /^\/api\/(entregas|fila)$/, ready: row, empty: [nothing('entregas'), (words) => words.deliveries.emptyTitle] },
  { name: 'entrega', path: `/entregas/${ids.delivery}`, reads: /^\/api\/entregas\/\d+$/, ready: (page) => page.locator('.split__detail .facts'), empty: [gone, (words) => words.deliveries.one.gone] },
  { name: 'reenvios', path: '/reenvios', reads: /^\/api\/reenvios$/, ready: row, empty: [nothing('reenvios'), (words) => words.deliveries.jobs.empty] },
  { name: 'reenvio', path: `/reenvios/${ids.job}`, reads: /^\/api\/reenvios\/\d+$/, ready: (page) => page.locator('main .facts'), empty: [gone, (words) => words.deliveries.jobs.gone] },
  { name: 'teste', path: `/teste?de=${ids.delivery}`, reads: /^\/api\/entregas\/\d+$/, ready: (page) => page.locator('main textarea'), empty: [gone, (words) => words.deliveries.one.gone] },
  { name: 'eventos', path: '/eventos', reads: /^\/api\/eventos$/, ready: row, empty: [nothing('eventos'), (words) => words.events.emptyTitle] },
  { name: 'evento', path: `/eventos/${ids.event}`, reads: /^\/api\/eventos\/\d+$/, ready: json, empty: [gone, (words) => words.events.gone] },
  { name: 'arquivos', path: '/arquivos', reads: /^\/api\/arquivos$/, ready: (page) => page.locator('.file').first(), empty: [nothing('arquivos', { uso: { bytes: 0, limite: 1000 } }), (words) => words.files.emptyTitle] },
  { name: 'contas', path: '/contas', reads: /^\/api\/usuarios$/, ready: row },
  { name: 'auditoria', path: '/auditoria', reads: /^\/api\/auditoria$/, ready: row, empty: [nothing('registros'), (words) => words.audit.none] },
];

let kept: Ids | undefined;

/** One of each kind. */
async function prepare(): Promise<Ids> {
  if (kept) return kept;
  const admin = await token('admin');
  const { id: post } = await newPost('Um post em cada estado', 'Texto.');
  const { request_id } = await api<{ request_id: string }>('POST', '/api/entregas/teste', {}, admin);
  const file = await fetch(new URL('/api/arquivos?nome=estado.txt', process.env.FRONT_URL), { method: 'POST', body: 'um texto', headers: { 'Content-Type': 'text/plain', ...admin } });
  expect(file.status).toBe(201);
  const get = <T>(path: string): Promise<T> => api<T>('GET', path, undefined, admin);
  // What came of this very event: what other tests left has other shapes.
  const sent = async (): Promise<number> => (await get<{ entregas: { id: number; estado: string }[] }>(`/api/entregas?request_id=${request_id}`)).entregas.find(({ estado }) => estado === 'processada')?.id ?? 0;
  await expect.poll(sent, { timeout: 20_000 }).toBeGreaterThan(0);
  const delivery = await sent();
  const [event] = (await get<{ eventos: { id: number; chave: string }[] }>(`/api/entregas/${delivery}`)).eventos;
  const job = await api<{ id: number }>('POST', '/api/reenvios', { estado: 'morta', motivo: 'que não há', maximo: 1 }, admin);
  if (!event) throw new Error('no event came of it');
  kept = { post, lead: event.chave.replace('leadgen:', ''), delivery, event: event.id, job: job.id };
  return kept;
}

const at = (page: Page, path: string): Promise<unknown> => page.goto(new URL(path, page.url()).href);

/** In one line, with the place in this file: what a cut log still has. */
function said(error: unknown): string {
  const { message, stack } = error as Error;
  const place = /states\.e2e\.ts:\d+/.exec(stack ?? '')?.[0] ?? '';
  return `${message.replace(/\s*\n\s*/g, ' ').trim()} (${place})`;
}

/** All that is wrong with all views, each with its name. */
async function ofEach(all: View[], look: (view: View) => Promise<void>, tidy?: () => Promise<void>): Promise<void> {
  const wrong: string[] = [];
  for (const view of all) {
    try {
      await look(view);
    } catch (error) {
      wrong.push(`${view.name}: ${said(error)}`);
      await tidy?.();
    }
  }
  expect(wrong).toEqual([]);
}

async function looks(page: Page): Promise<void> {
  expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
  await expectAccessible(page);
  await expectNoSidewaysScroll(page);
}

/** Nothing yet; then the network goes while it waits, and comes back; then it goes once more. */
async function waitsAndIsOffline(page: Page, answers: Answers, words: Words, { path, reads, ready }: View): Promise<void> {
  const main = page.getByRole('main');
  const banner = page.getByText(words.common.offlineBanner);
  await answers.set('hold', reads);
  await at(page, path);
  await expect.poll(() => answers.waiting).toBeGreaterThan(0); // the view's own code is here
  await main.getByText(words.common.loading).first().waitFor({ state: 'attached' });
  await looks(page);
  await page.context().setOffline(true);
  await banner.waitFor();
  await main.getByText(words.common.error.offline).first().waitFor();
  await answers.set('cut');
  await answers.set('through');
  await page.context().setOffline(false);
  await ready(page).waitFor(); // by itself
  expect(await banner.count()).toBe(0);
  await page.context().setOffline(true);
  await banner.waitFor();
  expect(await ready(page).isVisible()).toBe(true); // what was read stays in sight
  await page.context().setOffline(false);
  await banner.waitFor({ state: 'detached' });
}

async function fails(page: Page, answers: Answers, words: Words, { path, reads, ready }: View): Promise<void> {
  const main = page.getByRole('main');
  await answers.set(problem(500), reads);
  await at(page, path);
  const alert = main.getByRole('alert').filter({ hasText: words.common.error.status['5xx'] }).first();
  await alert.waitFor();
  expect(await alert.innerText()).toContain(DETAIL);
  expect(await alert.innerText()).toContain(REQUEST_ID);
  await looks(page);
  await answers.set('through');
  // As often as there is one, and some go by themselves: a view may read twice, or ask again just now.
  const retry = alert.getByRole('button', { name: words.common.error.retry });
  await expect.poll(async () => {
    if (await retry.count() > 0) await retry.click({ timeout: 1000 }).catch(() => undefined);
    return alert.count();
  }).toBe(0);
  await ready(page).waitFor();
}

async function isEmpty(page: Page, answers: Answers, words: Words, { path, reads, empty }: View): Promise<void> {
  if (!empty) return;
  answers.quiet = true;
  await answers.set(empty[0], reads);
  await at(page, path);
  await page.getByRole('main').getByText(empty[1](words)).first().waitFor();
  await looks(page);
  answers.quiet = false;
}

// The second look is for the words and the colours: what all views have in common is seen in a few.
const FEW = ['posts', 'agora', 'lead', 'entregas', 'arquivos'];

it.each([['pt', 'light', 'desktop'], ['en', 'dark', 'phone']] as const)('each view waits, is offline, fails and is empty in words: %s, %s, %s', async (language, colorScheme, size) => {
  allow(REFUSALS, OFFLINE);
  const words = language === 'pt' ? PT : EN;
  const all = views(await prepare());
  const page = await visit('/posts/novo', { colorScheme, viewport: size === 'phone' ? PHONE : DESKTOP });
  await signIn(page, 'admin');
  await page.evaluate((chosen) => localStorage.setItem('alicerce.idioma', chosen), language);
  const answers = await Answers.of(page);
  await ofEach(all, async (view) => {
    if (language === 'pt' || FEW.includes(view.name)) {
      await waitsAndIsOffline(page, answers, words, view);
      await fails(page, answers, words, view);
    }
    await isEmpty(page, answers, words, view);
  }, async () => {
    await page.context().setOffline(false);
    answers.quiet = false;
    await answers.set('through');
  });
}, 180_000);

it('says that the database is away, in the words of the API, and goes on when it is back', async () => {
  allow(REFUSALS);
  const all = views(await prepare()).filter(({ name }) => ['entrega', 'arquivos', 'contas', 'leads'].includes(name));
  const page = await visit('/posts/novo');
  await signIn(page, 'admin');
  await control('stop', 'pg');
  try {
    await ofEach(all, async ({ path }) => {
      await at(page, path);
      const alert = page.getByRole('main').getByRole('alert').filter({ hasText: common.error.status['5xx'] }).first();
      await alert.waitFor();
      expect(await alert.innerText()).toMatch(/Código para o suporte: \S+/);
    });
  } finally {
    await control('start', 'pg');
  }
  const last = page.getByRole('alert').filter({ hasText: common.error.status['5xx'] }).first();
  await expect.poll(async () => {
    await last.getByRole('button', { name: common.error.retry }).click({ timeout: 1000 }).catch(() => undefined);
    return row(page).count();
  }, { timeout: 20_000, interval: 1000 }).toBeGreaterThan(0);
}, 120_000);

it('a view whose code is not here yet waits for the network, and comes by itself', async () => {
  allow(REFUSALS, OFFLINE, NO_CODE);
  const page = await visit('/posts');
  await page.getByRole('article').first().waitFor();
  await page.context().setOffline(true);
  await page.getByRole('link', { name: 'Agora', exact: true }).click();
  await page.getByRole('main').getByText(common.error.offlineWaits).waitFor();
  await expectAccessible(page);
  await page.context().setOffline(false);
  await page.getByRole('heading', { level: 1, name: 'Agora' }).waitFor();
});

it('a list that was never read waits for the network, and comes by itself', async () => {
  allow(REFUSALS, OFFLINE);
  const { lead } = await prepare();
  const page = await visit(`/leads/${lead}`);
  await signIn(page, 'operador');
  await page.locator('.lead-sheet').waitFor();
  await page.getByRole('link', { name: 'Todos os leads' }).click();
  await row(page).waitFor();
  await page.context().setOffline(true);
  await page.getByLabel('Estado').selectOption('completo');
  await page.getByRole('main').getByText(common.error.offlineWaits).waitFor();
  await expectAccessible(page);
  await page.context().setOffline(false);
  await page.getByText(leads.noneTitle).or(row(page)).first().waitFor();
});

it('a sign-in is waited for, refused, and impossible without a network: each in words', async () => {
  allow(REFUSALS, OFFLINE);
  const page = await visit('/leads');
  const answers = await Answers.of(page);
  await page.getByRole('main').getByRole('button', { name: 'Entrar' }).click();
  const dialog = page.getByRole('dialog', { name: 'Entrar' });
  await dialog.getByLabel('E-mail').fill('alguem@exemplo.com.br');
  await dialog.getByLabel('Senha', { exact: true }).fill('três gatos no telhado');
  await answers.set('hold', /^\/api\/auth\/login$/);
  await dialog.getByRole('button', { name: 'Entrar' }).click();
  const busy = dialog.getByRole('button', { name: common.signIn.busy });
  await busy.waitFor();
  await expectAccessible(page);
  await answers.set(problem(503, 'Serviço indisponível'));
  const alert = dialog.getByRole('alert');
  await expect.poll(() => alert.innerText()).toContain(DETAIL);
  await expectAccessible(page);
  await page.context().setOffline(true);
  await answers.set('through');
  await dialog.getByRole('button', { name: 'Entrar' }).click();
  await expect.poll(() => alert.innerText()).toContain(common.error.offline);
  expect(await dialog.getByLabel('E-mail').inputValue()).toBe('alguem@exemplo.com.br');
  await expectAccessible(page);
  await page.context().setOffline(false);
  await dialog.getByRole('button', { name: 'Entrar' }).click();
  await dialog.getByText('E-mail ou senha incorretos').waitFor();
});

it('the reference of the API waits for its code, and says when it cannot be had', async () => {
  allow(REFUSALS, NO_CODE);
  const page = await visit('/posts/novo');
  const answers = await Answers.of(page);
  await answers.set('hold', /\/Viewer-[^/]*\.js$/);
  await at(page, '/docs');
  await page.getByRole('main').getByText(common.loading).waitFor({ state: 'attached' });
  await expectAccessible(page);
  await answers.set(problem(503));
  await page.getByText(common.error.outdated).waitFor();
  await expectAccessible(page);
  await answers.set('through');
  await page.getByRole('button', { name: common.error.reload }).click();
  await page.locator('.opblock-summary-path').first().waitFor({ timeout: 30_000 });
});
