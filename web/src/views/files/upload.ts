// Sends files one after the other, two at once, with what XMLHttpRequest alone can tell: how much has gone.
import { ApiError } from '@/api/errors';
import * as session from '@/api/session';
import { store } from '@/lib/store';

export interface Upload {
  id: number;
  file: File;
  state: 'waiting' | 'sending' | 'done' | 'failed' | 'cancelled';
  sent: number;
  error: ApiError | null;
}

const AT_ONCE = 2;
export const uploads = store<Upload[]>([]);
const running = new Map<number, AbortController>();
let next = 1;

function change(id: number, part: Partial<Upload>): void {
  uploads.set(uploads.get().map((one) => (one.id === id ? { ...one, ...part } : one)));
}

function problem(xhr: XMLHttpRequest): ApiError {
  let body: { title?: unknown; detail?: unknown } = {};
  try {
    body = JSON.parse(xhr.responseText) as typeof body;
  } catch {
    // no problem document: the status says enough
  }
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return new ApiError('http', { status: xhr.status, title: text(body.title), detail: text(body.detail), requestId: xhr.getResponseHeader('x-request-id') });
}

function once(file: File, token: string | null, signal: AbortSignal, onSent: (sent: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open('POST', `/api/arquivos?nome=${encodeURIComponent(file.name)}`);
    if (token) xhr.setRequestHeader('Authorization', `Bearer ${token}`);
    xhr.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
    xhr.upload.onprogress = (event) => onSent(event.loaded);
    xhr.onload = () => (xhr.status < 300 ? resolve() : reject(problem(xhr)));
    xhr.onerror = () => reject(new ApiError(navigator.onLine ? 'network' : 'offline'));
    xhr.onabort = () => reject(new ApiError('aborted'));
    signal.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(file);
  });
}

async function send({ id, file }: Upload, onDone: () => void): Promise<void> {
  const own = new AbortController();
  running.set(id, own);
  change(id, { state: 'sending', sent: 0, error: null });
  const go = (token: string | null): Promise<void> => once(file, token, own.signal, (sent) => change(id, { sent }));
  const token = session.token();
  try {
    await go(token).catch(async (error: unknown) => {
      if (!(error instanceof ApiError) || error.status !== 401 || !token || !(await session.lost(token, own.signal))) throw error;
      return go(session.token());
    });
    change(id, { state: 'done', sent: file.size });
    onDone();
  } catch (error) {
    const known = error instanceof ApiError ? error : new ApiError('network');
    change(id, known.kind === 'aborted' || own.signal.aborted ? { state: 'cancelled' } : { state: 'failed', error: known });
  } finally {
    running.delete(id);
    pump(onDone);
  }
}

function pump(onDone: () => void): void {
  while (running.size < AT_ONCE) {
    const waiting = uploads.get().find((one) => one.state === 'waiting');
    if (!waiting) return;
    void send(waiting, onDone);
  }
}

export function enqueue(files: File[], onDone: () => void): void {
  uploads.set([...uploads.get(), ...files.map((file): Upload => ({ id: next++, file, state: 'waiting', sent: 0, error: null }))]);
  pump(onDone);
}

export function cancel(id: number): void {
  const own = running.get(id);
  if (own) own.abort();
  else change(id, { state: 'cancelled' });
}

export function again(id: number, onDone: () => void): void {
  change(id, { state: 'waiting', error: null });
  pump(onDone);
}

export function clearEnded(): void {
  uploads.set(uploads.get().filter((one) => one.state === 'waiting' || one.state === 'sending'));
}
