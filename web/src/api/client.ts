// The only place that calls fetch, but for the stream of events (live.ts). Knows tokens, deadlines and
// problem documents; React does not come in.
import type { paths } from '@/gen/schema';
import { ApiError, errorOf } from './errors';
import * as session from './session';

/** An answer with what a caller may want beside its body. */
export interface Answer<T> {
  data: T;
  status: number;
  /** As it came; If-Match takes it back unchanged. */
  etag: string | null;
  requestId: string | null;
  headers: Headers;
  /** From asking to the last byte. */
  ms: number;
}

type Scalar = string | number | boolean;
export type Query = Record<string, Scalar | null | undefined>;

export interface CallOptions {
  /** null, undefined and '' are left out. */
  query?: Query;
  /** Sent as JSON, unless it is already something that fetch takes. */
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** false: without the token, whoever is signed in. */
  token?: boolean;
  /** How the body is read; by default as JSON. */
  read?: 'json' | 'text' | 'blob' | 'none';
  /** A status of 400 or more whose body is an answer all the same. */
  acceptStatus?: number;
  /** Past the browser's own cache, where what counts is how it was read just now. */
  fresh?: boolean;
}

const TIMEOUT_MS = 12_000; // the front gives up after 8 s, and may ask a second replica

// ---- types from the OpenAPI document ----

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type PathWith<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths];
type Operation<P extends keyof paths, M extends Method> = paths[P] extends Record<M, infer O> ? O : never;
type JsonOf<R> = R extends { content: { 'application/json': infer T } } ? T : undefined;
type Ok<O> = O extends { responses: infer R } ? JsonOf<R[keyof R & (200 | 201 | 202 | 204)]> : never;
type Body<O> = O extends { requestBody?: { content: { 'application/json': infer T } } } ? T : never;
type Params<O, K extends string> = O extends { parameters: Record<K, infer T> } ? T : never;
type PathParams<P extends keyof paths> = Params<paths[P], 'path'>;
type QueryOf<O> = O extends { parameters: { query?: infer T } } ? T : never;

type TypedOptions<P extends keyof paths, M extends Method> = Omit<CallOptions, 'query' | 'body'> & {
  query?: QueryOf<Operation<P, M>>;
} & ([PathParams<P>] extends [never] ? { path?: never } : { path: PathParams<P> }) &
  ([Body<Operation<P, M>>] extends [never] ? { body?: undefined } : { body?: Body<Operation<P, M>> });

// ---- one call ----

export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.append(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}

function fill(template: string, values: Record<string, Scalar> = {}): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function isRaw(body: unknown): body is BodyInit {
  return typeof body === 'string' || body instanceof Blob || body instanceof FormData || body instanceof ArrayBuffer;
}

/** One signal for the caller's own and the deadline (AbortSignal.any is too young to lean on). */
function deadline(given: AbortSignal | undefined, ms: number): { signal: AbortSignal; done: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('', 'TimeoutError')), ms);
  const forward = (): void => controller.abort(given?.reason);
  if (given?.aborted) forward();
  given?.addEventListener('abort', forward);
  return {
    signal: controller.signal,
    done: () => {
      clearTimeout(timer);
      given?.removeEventListener('abort', forward);
    },
  };
}

function failure(cause: unknown, signal: AbortSignal): ApiError {
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    return new ApiError(reason instanceof DOMException && reason.name === 'TimeoutError' ? 'timeout' : 'aborted');
  }
  if (!navigator.onLine) return new ApiError('offline');
  return new ApiError(cause instanceof SyntaxError ? 'malformed' : 'network');
}

async function read(response: Response, ok: boolean, how: CallOptions['read']): Promise<unknown> {
  if (!ok) return response.json().catch(() => null);
  if (response.status === 204 || how === 'none') return undefined;
  if (how === 'text') return response.text();
  if (how === 'blob') return response.blob();
  return response.json();
}

async function once<T>(method: string, url: string, options: CallOptions, token: string | null): Promise<Answer<T>> {
  const headers = new Headers(options.headers);
  let body: BodyInit | undefined;
  if (isRaw(options.body)) {
    body = options.body;
  } else if (options.body !== undefined) {
    body = JSON.stringify(options.body);
    headers.set('Content-Type', headers.get('Content-Type') ?? 'application/json');
  }
  if (token !== null) headers.set('Authorization', `Bearer ${token}`);
  const { signal, done } = deadline(options.signal, options.timeoutMs ?? TIMEOUT_MS);
  const began = performance.now();
  try {
    const response = await fetch(url, { method, headers, body, signal, credentials: 'omit', cache: options.fresh ? 'no-store' : 'default' });
    const ok = response.ok || response.status === options.acceptStatus;
    const data = await read(response, ok, options.read);
    if (!ok) throw errorOf(response, data);
    return {
      data: data as T,
      status: response.status,
      etag: response.headers.get('etag'),
      requestId: response.headers.get('x-request-id'),
      headers: response.headers,
      ms: performance.now() - began,
    };
  } catch (cause) {
    throw cause instanceof ApiError ? cause : failure(cause, signal);
  } finally {
    done();
  }
}

/**
 * A call to any path. When the token is not believed any more, whoever works here is asked to sign in over the
 * page, and the call is made once again: nothing that was typed is lost.
 */
export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const url = address(path, options.query);
  const token = options.token === false ? null : session.token();
  try {
    return await once<T>(method, url, options, token);
  } catch (error) {
    if (token === null || !(error instanceof ApiError) || error.status !== 401) throw error;
    if (!(await session.lost(token, options.signal))) throw error;
    return once<T>(method, url, options, session.token());
  }
}

function typed<M extends Method>(method: M) {
  return <P extends PathWith<M>>(
    path: P,
    ...[options]: [PathParams<P>] extends [never] ? [TypedOptions<P, M>?] : [TypedOptions<P, M>]
  ): Promise<Answer<Ok<Operation<P, M>>>> => {
    const { path: values, query, ...rest } = (options ?? {}) as CallOptions & { path?: Record<string, Scalar> };
    return call(method.toUpperCase(), fill(path, values), { ...rest, query });
  };
}

/** Calls of what docs/openapi.yaml describes: paths, parameters, bodies and answers are checked by tsc. */
export const api = { get: typed('get'), post: typed('post'), put: typed('put'), patch: typed('patch'), delete: typed('delete') };
