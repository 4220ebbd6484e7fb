// What the API answers, held or replaced on its way to the page: for the states that a healthy stack does not show.
import type { Page, Route } from 'playwright-core';

export const REQUEST_ID = 'c0ffee00c0ffee00c0ffee00c0ffee00';
export const DETAIL = 'o banco de dados não responde';

interface Given {
  status: number;
  json: object;
}

/** As the API writes it (RFC 9457). */
export function problem(status: number, title = 'Erro interno', detail = DETAIL): Given {
  return { status, json: { type: 'about:blank', title, status, detail, instance: '/api' } };
}

type Mode = 'through' | 'hold' | 'cut' | Given;

/** One for a page. What is not `watched` goes through. */
export class Answers {
  private watched = /$^/;
  private mode: Mode = 'through';
  private held: Route[] = [];
  /** The stream of events is not answered: what it tells of the real stack would fill a view that is to be empty. */
  quiet = false;

  static async of(page: Page): Promise<Answers> {
    const one = new Answers();
    await page.route('**/*', (route) => one.take(route));
    return one;
  }

  /** From now on, requests whose path matches are treated so; those that were held are, too. */
  async set(mode: Mode, watched = this.watched): Promise<void> {
    this.mode = mode;
    this.watched = watched;
    if (mode !== 'hold') await Promise.all(this.held.splice(0).map((route) => this.take(route).catch(() => undefined))); // the page may have left
  }

  /** How many are held. */
  get waiting(): number {
    return this.held.length;
  }

  private async take(route: Route): Promise<void> {
    if (this.quiet && new URL(route.request().url()).pathname === '/api/ao-vivo') return undefined;
    if (this.mode === 'through' || !this.watched.test(new URL(route.request().url()).pathname)) return route.fallback();
    if (this.mode === 'hold') {
      this.held.push(route);
      return undefined;
    }
    if (this.mode === 'cut') return route.abort('internetdisconnected');
    const { status, json } = this.mode;
    const contentType = status >= 400 ? 'application/problem+json' : 'application/json';
    return route.fulfill({ status, contentType, headers: { 'X-Request-Id': REQUEST_ID }, body: JSON.stringify(json) });
  }
}
