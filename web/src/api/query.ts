import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './errors';

const RETRIES = 2;

/** Only what may pass by itself is asked again; who is told "no" need not hear it three times. */
function retry(failures: number, error: Error): boolean {
  return failures < RETRIES && error instanceof ApiError && error.isPassing && error.status !== 429;
}

function retryDelay(failures: number, error: Error): number {
  const asked = error instanceof ApiError ? error.retryAfter : null;
  return Math.min((asked ?? 0) * 1000 || 400 * 2 ** failures, 5000);
}

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry, retryDelay, staleTime: 5_000, gcTime: 10 * 60_000, refetchOnWindowFocus: true },
      mutations: { retry: false, networkMode: 'always' },
    },
  });
}

/** How often a list asks by itself: hardly ever while the stream tells, every few seconds while it does not. */
export function pollEvery(live: 'off' | 'connecting' | 'open' | 'waiting', ms = 5000): number {
  return live === 'open' ? 60_000 : ms;
}
