import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

type Session = typeof import('./session');

/** A tab of its own: the module anew. Tabs of one browser hear each other by the channel. */
async function tab(): Promise<Session> {
  vi.resetModules();
  return import('./session');
}

const USER = { id: 1, nome: 'Ana', email: 'ana@exemplo.com.br', papel: 'operador', ativo: true, criado_em: '2026-01-01T00:00:00Z' };
let issued = 0;

function answer(minutes = 15): Response {
  const body = { token: `token-${++issued}`, expira_em: new Date(Date.now() + minutes * 60_000).toISOString(), usuario: USER };
  return new Response(JSON.stringify(body), { status: 200, headers: { Date: new Date().toUTCString() } });
}

async function replacement(minutes?: number): Promise<Parameters<Session['replaceWith']>[0]> {
  const response = answer(minutes);
  return { data: (await response.json()) as Parameters<Session['replaceWith']>[0]['data'], headers: response.headers };
}

beforeEach(() => {
  sessionStorage.clear();
  issued = 0;
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(answer())));
});
afterEach(() => vi.unstubAllGlobals());

describe('a session', () => {
  it('lasts over a reload, and not when what is kept is not ours', async () => {
    await (await tab()).signIn('ana@exemplo.com.br', 'x');
    const again = await tab();
    again.restore();
    expect(again.token()).toBe('token-1');
    again.signOut(); // else it would give the next ones what it has
    for (const text of ['{', '7', '{"token":1}', '{"token":"t","user":{},"endsAt":1}']) {
      sessionStorage.setItem('alicerce.sessao', text);
      const other = await tab();
      other.restore();
      expect(other.token()).toBeNull();
    }
  });

  it('is asked for again when the API refuses its token, once for all that wait', async () => {
    const one = await tab();
    await one.signIn('ana@exemplo.com.br', 'x');
    const waiting = [one.lost('token-1'), one.lost('token-1')];
    expect(one.snapshot()).toMatchObject({ user: null, prompt: 'ended', ended: true });
    await one.signIn('ana@exemplo.com.br', 'x');
    expect(await Promise.all(waiting)).toEqual([true, true]);
    expect(await one.lost('token-1')).toBe(true); // an older one: there is another to try with
    const refused = one.lost('token-2');
    one.declineSignIn();
    expect(await refused).toBe(false);
    expect(await one.lost('token-2')).toBe(false); // it was shown and closed
  });
});

describe('tabs of one browser', () => {
  it('share a sign-in, a sign-out, a changed password and an end', async () => {
    const [one, two] = [await tab(), await tab()];
    await one.signIn('ana@exemplo.com.br', 'x');
    await vi.waitFor(() => expect(two.token()).toBe('token-1'));
    // The new session takes over even where its end is no later: the old one is over.
    one.replaceWith(await replacement(5));
    expect(one.token()).toBe('token-2');
    await vi.waitFor(() => expect(two.token()).toBe('token-2'));
    one.endedByChange();
    expect(one.snapshot()).toMatchObject({ user: null, prompt: 'ended' });
    await vi.waitFor(() => expect(two.snapshot()).toMatchObject({ user: null, prompt: 'ended' }));
    await two.signIn('ana@exemplo.com.br', 'x');
    await vi.waitFor(() => expect(one.snapshot()).toMatchObject({ prompt: 'none', ended: false }));
    two.signOut();
    await vi.waitFor(() => expect(one.snapshot()).toMatchObject({ user: null, prompt: 'none', ended: false }));
  });

  it('give a new tab what they have', async () => {
    const one = await tab();
    await one.signIn('ana@exemplo.com.br', 'x');
    sessionStorage.clear(); // each tab has its own
    const two = await tab();
    two.restore();
    await vi.waitFor(() => expect(two.token()).toBe('token-1'));
    one.signOut();
    await vi.waitFor(() => expect(two.token()).toBeNull());
  });
});
