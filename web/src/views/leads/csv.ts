// The download of a CSV: read as it comes, counted on the way, given up when told so.
import { address, type Query } from '@/api/client';
import { ApiError, errorOf } from '@/api/errors';
import * as session from '@/api/session';

export interface Progress {
  bytes: number;
  rows: number;
  /** An estimate by the API; null when it has none. */
  total: number | null;
}

/** Counts records of a CSV (RFC 4180) piece by piece: a line feed within quotes ends none. */
export function rowCounter(): (piece: Uint8Array) => number {
  const QUOTE = 0x22, FEED = 0x0a;
  let quoted = false;
  let lines = 0;
  return (piece) => {
    for (const byte of piece) {
      if (byte === QUOTE) quoted = !quoted; // a doubled one turns twice
      else if (byte === FEED && !quoted) lines++;
    }
    return Math.max(lines - 1, 0); // without the header
  };
}

/** Never shows 100 % before the end, since the total is a guess. */
export function share({ rows, total }: Progress): number | null {
  return total === null || total <= 0 ? null : Math.min(rows / total, 0.99);
}

function total(headers: Headers): number | null {
  const text = headers.get('x-total-estimado');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function nameOf(headers: Headers): string {
  const found = /filename="([A-Za-z0-9._-]{1,100})"/.exec(headers.get('content-disposition') ?? '');
  return found?.[1] ?? `leads-${new Date().toISOString().slice(0, 10)}.csv`;
}

async function open(url: string, signal: AbortSignal): Promise<Response> {
  const ask = (token: string | null): Promise<Response> =>
    fetch(url, { signal, credentials: 'omit', cache: 'no-store', headers: token ? { Authorization: `Bearer ${token}` } : {} });
  const token = session.token();
  let response = await ask(token);
  if (response.status === 401 && token && (await session.lost(token, signal))) response = await ask(session.token());
  if (!response.ok) throw errorOf(response, await response.json().catch(() => null));
  return response;
}

const TELL_MS = 100; // pieces come by the thousand; a person reads ten a second at most

/** `tell` now if the last time is long enough ago; the end is always told. */
function paced(tell: (progress: Progress) => void): (progress: Progress, end?: boolean) => void {
  let last = -Infinity;
  return (progress, end = false) => {
    const now = performance.now();
    if (!end && now - last < TELL_MS) return;
    last = now;
    tell({ ...progress });
  };
}

export async function download(query: Query, signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<{ blob: Blob; name: string; rows: number }> {
  try {
    const response = await open(address('/api/leads.csv', query), signal);
    const reader = response.body?.getReader();
    const count = rowCounter();
    const progress: Progress = { bytes: 0, rows: 0, total: total(response.headers) };
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    const tell = paced(onProgress);
    tell(progress);
    for (;;) {
      const next = await reader?.read();
      if (!next || next.done) break;
      pieces.push(next.value);
      progress.bytes += next.value.byteLength;
      progress.rows = count(next.value);
      tell(progress);
    }
    tell(progress, true);
    return { blob: new Blob(pieces, { type: 'text/csv' }), name: nameOf(response.headers), rows: progress.rows };
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(signal.aborted ? 'aborted' : navigator.onLine ? 'network' : 'offline');
  }
}
