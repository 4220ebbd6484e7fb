import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api, call } from '@/api/client';
import { useLive, useLiveState, type Sample } from '@/api/live';
import { isApiError } from '@/api/errors';
import { pollEvery } from '@/api/query';
import { withSample } from './samples';

export interface Samples {
  intervalo_s: number;
  amostras: Sample[];
}

export function useStats() {
  const client = useQueryClient();
  const live = useLiveState();
  useLive('contadores', (counts) => client.setQueryData(['stats'], counts));
  return useQuery({
    queryKey: ['stats'],
    queryFn: async ({ signal }) => (await api.get('/api/stats', { signal, token: false })).data,
    refetchInterval: pollEvery(live),
  });
}

export function useSamples(enabled: boolean) {
  const client = useQueryClient();
  const live = useLiveState();
  useLive('amostra', (sample) => {
    client.setQueryData<Samples>(['samples'], (data) => data && { ...data, amostras: withSample(data.amostras, sample) });
  });
  useLive('perdido', () => void client.invalidateQueries({ queryKey: ['samples'] }));
  return useQuery({
    queryKey: ['samples'],
    queryFn: async ({ signal }) => (await call<Samples>('GET', '/api/amostras', { signal })).data,
    enabled,
    refetchInterval: (query) => (isApiError(query.state.error, 404) ? false : pollEvery(live)),
    refetchOnWindowFocus: true,
  });
}
