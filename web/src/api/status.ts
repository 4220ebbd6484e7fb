import { useQuery } from '@tanstack/react-query';
import type { components } from '@/gen/schema';
import { ApiError } from './errors';
import { call } from './client';

export type Status = components['schemas']['Estado'] | components['schemas']['EstadoDegradado'];

/** /status answers 503 with a document of its own when something is away: that is an answer, no error. */
export async function readStatus(signal?: AbortSignal): Promise<Status> {
  const response = await call<string>('GET', '/status', { token: false, read: 'text', signal, acceptStatus: 503 });
  const status: unknown = JSON.parse(response.data);
  if (typeof status === 'object' && status !== null && 'banco_dados' in status) return status as Status;
  throw new ApiError('http', { status: response.status, requestId: response.requestId });
}

export function useStatus(everyMs = 10_000) {
  return useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => readStatus(signal),
    refetchInterval: everyMs,
    retry: false,
    staleTime: 2000,
  });
}
