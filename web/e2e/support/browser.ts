// A browser for a test file, pages that complain aloud, axe, and pictures.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { FRONT, PASSWORD, SHOTS, email, type Who } from './stack';

const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };
/** Each colour and each width is met, and docs/screens shows these. */
export const LOOKS = [['light', 'desktop', DESKTOP], ['dark', 'desktop', DESKTOP], ['light', 'phone', PHONE]] as const;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser | undefined;
const contexts: BrowserContext[] = [];
let complaints: string[] = [];
/** What a test provokes on purpose is no complaint. */
let allowed: RegExp[] = [];

/** Call once at the top of a file. */
export function useBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    const heard = complaints.filter((text) => !allowed.some((one) => one.test(text)));
    complaints = [];
    allowed = [];
    expect(heard).toEqual([]);
  });
  afterAll(() => browser?.close());
}

export function allow(...texts: RegExp[]): void {
  allowed.push(...texts);
}

/** The browser itself writes a line for each answer of 400 or more. */
export const REFUSALS = /Failed to load resource/;

function listen(page: Page): void {
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
  });
}

export type Options = BrowserContextOptions & { path?: string };

/** A fresh visitor: Portuguese, light, desktop unless told otherwise. */
export async function visit(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  if (!browser) throw new Error('useBrowser() is missing');
  const context = await browser.newContext({ locale: 'pt-BR', viewport: DESKTOP, colorScheme: 'light', reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(15_000);
  contexts.push(context);
  const page = await context.newPage();
  listen(page);
  await page.goto(path.startsWith('about:') ? path : FRONT + path);
  return page;
}

/**
 * A second window of the same visitor. A window of its own, since context.newPage() would be a tab: of a window's tabs
 * only the one in front draws. Once it is clicked, one that lies behind gets less than a frame a second, and playwright
 * clicks on what has not moved for two frames.
 */
export async function another(page: Page, path: string): Promise<Page> {
  if (!browser) throw new Error('useBrowser() is missing');
  const [own, all] = [await page.context().newCDPSession(page), await browser.newBrowserCDPSession()];
  const { targetInfo: { browserContextId } } = await own.send('Target.getTargetInfo');
  const [second] = await Promise.all([
    page.context().waitForEvent('page'),
    all.send('Target.createTarget', { url: 'about:blank', browserContextId, newWindow: true }),
  ]);
  await Promise.all([own.detach(), all.detach()]);
  listen(second);
  await second.goto(FRONT + path);
  return second;
}

/** By the dialog, as a person does. */
export async function signIn(page: Page, who: Who): Promise<void> {
  await page.getByRole('button', { name: 'Entrar' }).first().click();
  await fillSignIn(page, who);
}

export async function fillSignIn(page: Page, who: Who): Promise<void> {
  await fillSignInAs(page, email(who), PASSWORD);
}

export async function fillSignInAs(page: Page, address: string, password: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Entrar' });
  await dialog.getByLabel('E-mail').fill(address);
  await dialog.getByLabel('Senha', { exact: true }).fill(password);
  // Passwords are hashed at the lowest priority (api/hasher.h): where other work leaves no core any time, that takes
  // longer than a request may, and whoever is told so presses again.
  const busy = dialog.getByRole('alert').filter({ hasText: 'O servidor não está pronto' });
  for (let tries = 0; tries < 3; tries++) {
    await dialog.getByRole('button', { name: 'Entrar', exact: true }).click();
    const gone = dialog.waitFor({ state: 'detached' }).then(() => true);
    const told = busy.waitFor().then(() => false, () => new Promise<never>(() => undefined));
    if (await Promise.race([gone, told])) return;
    gone.catch(() => undefined);
    allow(REFUSALS);
  }
  throw new Error('three sign-ins were answered by 503');
}

interface Violation {
  id: string;
  help: string;
  nodes: { target: string[]; failureSummary?: string }[];
}

/** axe-core's findings, WCAG 2.2 AA and its best practices: none is allowed. */
export async function expectAccessible(page: Page): Promise<void> {
  // By the debugger: the page's own policy would refuse the script.
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: { run: (on: Document, options: object) => Promise<{ violations: Violation[] }> } }).axe;
    const { violations } = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
    return violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.slice(0, 5).map(({ target, failureSummary }) => `${target.join(' ')}: ${failureSummary ?? ''}`) }));
  });
  expect(found).toEqual([]);
}

export async function shot(page: Page, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** Nothing wider than the window: nobody scrolls sideways (WCAG 1.4.10). */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
}

/** A view in each of LOOKS: axe and a picture. `open` leads to the view and waits until it is whole. */
export async function inAllLooks(name: string, open: (options: BrowserContextOptions) => Promise<Page>): Promise<void> {
  for (const [colorScheme, size, viewport] of LOOKS) {
    const page = await open({ colorScheme, viewport });
    await expectAccessible(page);
    await expectNoSidewaysScroll(page);
    await shot(page, `${name}-${colorScheme}-${size}`);
  }
}
