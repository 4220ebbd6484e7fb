// Who is signed in. The token lives in memory and in this tab's sessionStorage, is renewed before it ends,
// and is handed to a new tab of this browser that asks for it. When it ends all the same, `lost` has the page
// ask for a sign-in; what waits for it goes on afterwards.
import type { components } from '@/gen/schema';
import { ApiError, errorOf } from './errors';

export type User = components['schemas']['Conta'];
export type Role = User['papel'];

interface Held {
  token: string;
  user: User;
  /** By this machine's clock, milliseconds. */
  endsAt: number;
}

export interface SessionState {
  user: User | null;
  endsAt: number | null;
  /** The session ended or something wants one: the page shows the sign-in dialog. */
  prompt: 'none' | 'wanted' | 'ended';
  /** It ended and nobody signed in again since. */
  ended: boolean;
}

const KEY = 'alicerce.sessao';
const RENEW_BEFORE_MS = 3 * 60_000;
const RENEW_AGAIN_MS = 15_000;
const NOBODY: SessionState = { user: null, endsAt: null, prompt: 'none', ended: false };

let held: Held | null = null;
let state: SessionState = NOBODY;
let timer: ReturnType<typeof setTimeout> | undefined;
let waiting: ((signedIn: boolean) => void)[] = [];
const listeners = new Set<() => void>();
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(KEY);

// ---- what React reads ----

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function snapshot(): SessionState {
  return state;
}

export function token(): string | null {
  return held?.token ?? null;
}

function set(next: Partial<SessionState>): void {
  state = { ...state, ...next };
  for (const listener of [...listeners]) listener();
}

// ---- keeping it ----

function isHeld(value: unknown): value is Held {
  const one = value as Partial<Held> | null;
  return typeof one === 'object' && one !== null && typeof one.token === 'string' && typeof one.endsAt === 'number'
    && typeof one.user === 'object';
}

function store(): void {
  try {
    if (held) sessionStorage.setItem(KEY, JSON.stringify(held));
    else sessionStorage.removeItem(KEY);
  } catch {
    // storage is forbidden: it lives as long as the page
  }
}

function take(next: Held): void {
  held = next;
  store();
  set({ user: next.user, endsAt: next.endsAt, prompt: 'none', ended: false });
  plan(next.endsAt - Date.now() - RENEW_BEFORE_MS);
  const released = waiting;
  waiting = [];
  released.forEach((go) => go(true));
}

function drop(next: Partial<SessionState>): void {
  held = null;
  clearTimeout(timer);
  store();
  set({ user: null, endsAt: null, ...next });
}

function plan(ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void renew(), Math.max(ms, 0));
}

type Session = components['schemas']['Sessao'];

/** expira_em is by the API's clock: what counts is how far it is from the answer's Date. */
function heldOf(body: Session, headers: Headers): Held {
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  return { token: body.token, user: body.usuario, endsAt: Date.now() + Date.parse(body.expira_em) - now };
}

async function sessionOf(response: Response): Promise<Held> {
  return heldOf((await response.json()) as Session, response.headers);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method: 'POST', credentials: 'omit', signal: timeout(), ...init });
  } catch {
    throw new ApiError(navigator.onLine ? 'network' : 'offline');
  }
  if (!response.ok) throw errorOf(response, await response.json().catch(() => null));
  return response;
}

function timeout(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 15_000);
  return controller.signal;
}

async function renew(): Promise<void> {
  const mine = held;
  if (!mine) return;
  try {
    const fresh = await sessionOf(await ask('/api/auth/renovar', { headers: { Authorization: `Bearer ${mine.token}` } }));
    if (held === mine) adopt(fresh);
  } catch (error) {
    if (held !== mine) return;
    if (error instanceof ApiError && error.status === 401) ended();
    else if (Date.now() < mine.endsAt) plan(RENEW_AGAIN_MS);
    else ended();
  }
}

function ended(): void {
  drop({ prompt: 'ended', ended: true });
}

/** A fresh token of the same or of a new sign-in: kept, and told to the other tabs. */
function adopt(fresh: Held): void {
  take(fresh);
  channel?.postMessage({ kind: 'session', held: fresh });
}

// ---- what the page does ----

export async function signIn(email: string, password: string): Promise<void> {
  adopt(await sessionOf(await ask('/api/auth/login', {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email, senha: password }),
  })));
}

/** A changed password: the answer's session takes the place of all the account's others, which are over. */
export function replaceWith({ data, headers }: { data: Session; headers: Headers }): void {
  const fresh = heldOf(data, headers);
  take(fresh);
  channel?.postMessage({ kind: 'session', held: fresh, replaces: true });
}

/** The API ended all sessions of this account, by what was just done to it: sign in again. Other tabs hear it. */
export function endedByChange(): void {
  ended();
  channel?.postMessage({ kind: 'ended' });
}

/** Something of the account that is shown here was changed: read it anew. */
export function refresh(): void {
  void renew();
}

/** Ends here at once; the API is told, and that it could not be told is no reason to stay. */
export function signOut(): void {
  const mine = held;
  drop({ prompt: 'none', ended: false });
  channel?.postMessage({ kind: 'signed out' });
  if (mine) void ask('/api/auth/logout', { headers: { Authorization: `Bearer ${mine.token}` } }).catch(() => undefined);
}

/** Shows the dialog; true once somebody is signed in, false when they would rather not. */
export function wantSignIn(): Promise<boolean> {
  if (held) return Promise.resolve(true);
  set({ prompt: state.ended ? 'ended' : 'wanted' });
  return new Promise((resolve) => waiting.push(resolve));
}

/** The dialog was closed without a sign-in. */
export function declineSignIn(): void {
  set({ prompt: 'none' });
  const refused = waiting;
  waiting = [];
  refused.forEach((go) => go(false));
}

/** The API refused this token. True when there is another one to try with. */
export async function lost(refused: string, signal?: AbortSignal): Promise<boolean> {
  if (held && held.token !== refused) return true;
  if (held) ended();
  if (state.prompt === 'none') return false; // it was shown and closed: whoever wants it asks for it
  return new Promise((resolve) => {
    waiting.push(resolve);
    signal?.addEventListener('abort', () => resolve(false), { once: true });
  });
}

/** At start: what this tab had, or what another tab of this browser has. */
export function restore(): void {
  let kept: unknown = null;
  try {
    kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null');
  } catch {
    // forbidden, or not ours
  }
  if (isHeld(kept) && kept.endsAt > Date.now()) take(kept);
  else channel?.postMessage({ kind: 'who' });
}

channel?.addEventListener('message', (event: MessageEvent<{ kind?: unknown; held?: unknown; replaces?: unknown } | null>) => {
  const { kind, held: other, replaces } = event.data ?? {};
  if (kind === 'who' && held) channel.postMessage({ kind: 'session', held });
  if (kind === 'session' && isHeld(other) && (replaces === true || other.endsAt > (held?.endsAt ?? Date.now()))) take(other);
  if (kind === 'ended' && held) ended();
  if (kind === 'signed out' && held) drop({ prompt: 'none', ended: false });
});

// A machine that slept: the timer did not run.
if (typeof document !== 'undefined') {
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && held && held.endsAt - Date.now() < RENEW_BEFORE_MS) void renew();
  });
}
