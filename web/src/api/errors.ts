import type { components } from '@/gen/schema';

type Problem = components['schemas']['Problema'];

/** What went wrong with a request: the API answered so, or there was no answer. */
export type ErrorKind = 'http' | 'network' | 'offline' | 'timeout' | 'aborted' | 'malformed';

/** Every failure of a request is one of these, with what a person or a report about it needs. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: ErrorKind;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly title: string | null;
  readonly detail: string | null;
  /** What the API says of single fields, by the field's name. */
  readonly fields: ReadonlyMap<string, string>;
  readonly requestId: string | null;
  /** Seconds that the API asks to wait, null when it says nothing. */
  readonly retryAfter: number | null;

  constructor(kind: ErrorKind, from: Partial<Pick<ApiError, 'status' | 'title' | 'detail' | 'fields' | 'requestId' | 'retryAfter'>> = {}) {
    super(from.detail ?? from.title ?? kind);
    this.kind = kind;
    this.status = from.status ?? 0;
    this.title = from.title ?? null;
    this.detail = from.detail ?? null;
    this.fields = from.fields ?? new Map();
    this.requestId = from.requestId ?? null;
    this.retryAfter = from.retryAfter ?? null;
  }

  /** Would the same request perhaps succeed a little later? */
  get isPassing(): boolean {
    return this.kind === 'network' || this.kind === 'timeout' || [429, 502, 503, 504].includes(this.status);
  }
}

export function isApiError(error: unknown, status?: number): error is ApiError {
  return error instanceof ApiError && (status === undefined || error.status === status);
}

function isProblem(body: unknown): body is Problem {
  return typeof body === 'object' && body !== null && typeof (body as { title?: unknown }).title === 'string';
}

function seconds(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : null;
}

/** The error that an answer of 400 or more is. A body that is no problem document is ignored. */
export function errorOf(response: Response, body: unknown): ApiError {
  const problem = isProblem(body) ? body : null;
  const fields = new Map<string, string>();
  for (const { campo, mensagem } of problem?.erros ?? []) {
    if (!fields.has(campo)) fields.set(campo, mensagem);
  }
  return new ApiError('http', {
    status: response.status,
    title: problem?.title ?? null,
    detail: problem?.detail ?? null,
    fields,
    requestId: response.headers.get('x-request-id'),
    retryAfter: seconds(response.headers.get('retry-after')),
  });
}
