// The one stream of events of this page (GET /api/ao-vivo): open while somebody is signed in and somebody
// listens. It comes back by itself, from where it was; when it cannot be had, lists ask now and then.
import { useEffect, useRef, useSyncExternalStore } from 'react';
import * as session from './session';
import { parser } from './sse';

export interface Sample {
  em: string;
  instancias: number;
  requisicoes_s: number;
  erros_s: number;
  p50_ms: number | null;
  p99_ms: number | null;
  fila: { comprimento: number; mais_antiga_s: number | null; em_maos: number } | null;
  workers: number;
}

export interface LiveEvents {
  post: { acao: 'criado' | 'mudado' | 'removido'; id: number; titulo?: string; autor?: string; data_criacao?: string };
  entrega: { processadas?: number; mortas?: number; adiadas?: number; ids?: number[] };
  lead: { quantos: number; leads: { leadgen_id: string; formulario_id: string | null; pagina_id: string | null; teste: boolean }[] };
  contadores: { total_requisicoes: number; total_posts: number };
  amostra: Sample;
  /** Too much was missed: whatever is shown is to be read anew. */
  perdido: Record<string, never>;
}

export type LiveType = keyof LiveEvents;
/** off: nobody is signed in. */
export type LiveState = 'off' | 'connecting' | 'open' | 'waiting';

const SILENCE_MS = 40_000; // the server's heart beats every 15 s
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
const ABSENT_PAUSE_MS = 300_000; // an API without this route is not asked again and again

type Listener = (data: never) => void;
const listeners = new Map<LiveType, Set<Listener>>();
const watchers = new Set<() => void>();
let state: LiveState = 'off';
let running: AbortController | null = null;
let runningFor: string | null = null;
let lastId = '';
let lastFor: string | null = null;

function setState(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const watcher of [...watchers]) watcher();
}

function deliver(type: string, text: string): void {
  const those = listeners.get(type as LiveType);
  if (!those) return;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return; // not ours
  }
  for (const listener of [...those]) listener(data as never);
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      window.removeEventListener('online', done);
      resolve();
    }
    signal.addEventListener('abort', done);
    window.addEventListener('online', done);
  });
}

interface Ended {
  /** Milliseconds to wait; null: as long as the failures so far say. */
  wait: number | null;
  worked: boolean;
}

function refusal(response: Response): Ended {
  if (response.status === 404 || response.status === 405 || response.status === 501) return { wait: ABSENT_PAUSE_MS, worked: false };
  const after = Number(response.headers.get('retry-after'));
  return { wait: after > 0 ? after * 1000 : null, worked: false };
}

/** One connection, until it ends. */
async function listen(token: string, signal: AbortSignal): Promise<Ended> {
  const own = new AbortController();
  const end = (): void => own.abort();
  signal.addEventListener('abort', end);
  let watchdog = setTimeout(end, SILENCE_MS);
  const parsed = parser(lastId);
  let worked = false;
  try {
    const headers: Record<string, string> = { Authorization: `Bearer ${token}`, Accept: 'text/event-stream' };
    if (lastId !== '') headers['Last-Event-ID'] = lastId;
    const response = await fetch('/api/ao-vivo', { headers, signal: own.signal, credentials: 'omit', cache: 'no-store' });
    if (response.status === 401) {
      const another = await session.lost(token, signal);
      return { wait: another ? 0 : LONGEST_PAUSE_MS, worked };
    }
    if (!response.ok || !response.body) return refusal(response);
    setState('open');
    worked = true;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      clearTimeout(watchdog);
      watchdog = setTimeout(end, SILENCE_MS);
      for (const event of parsed.feed(value)) {
        lastId = parsed.lastId;
        deliver(event.type, event.data);
      }
    }
  } catch {
    // closed, cut off or silent: all the same
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener('abort', end);
  }
  return { wait: parsed.retry, worked };
}

async function run(signal: AbortSignal): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const token = session.token();
    if (token === null) break;
    setState('connecting');
    const { wait, worked } = await listen(token, signal);
    failures = worked ? 0 : failures + 1;
    if (running?.signal === signal) setState('waiting');
    const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
    await pause(wait ?? longest * (0.5 + Math.random() / 2), signal);
  }
}

function sync(): void {
  const user = session.snapshot().user;
  const wanted = user && listeners.size > 0 ? String(user.id) : null;
  if (wanted === runningFor) return;
  running?.abort();
  running = null;
  runningFor = wanted;
  if (wanted === null) {
    setState('off');
    return;
  }
  if (lastFor !== wanted) lastId = ''; // another account: nothing to go on from
  lastFor = wanted;
  running = new AbortController();
  void run(running.signal);
}

session.subscribe(sync);

export function on<T extends LiveType>(type: T, listener: (data: LiveEvents[T]) => void): () => void {
  const those = listeners.get(type) ?? new Set();
  listeners.set(type, those);
  those.add(listener);
  sync();
  return () => {
    those.delete(listener);
    if (those.size === 0) listeners.delete(type);
    // A view that goes and one that comes: the stream between them stays.
    setTimeout(sync, 1000);
  };
}

/** Calls the latest `listener` for each event of this type. */
export function useLive<T extends LiveType>(type: T, listener: (data: LiveEvents[T]) => void): void {
  const latest = useRef(listener);
  useEffect(() => {
    latest.current = listener;
  });
  useEffect(() => on(type, (data) => latest.current(data)), [type]);
}

function subscribe(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(subscribe, () => state);
}
