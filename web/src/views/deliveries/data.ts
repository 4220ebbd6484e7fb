// What the views of deliveries read, and how it is kept true.
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback, useEffect, useMemo, useRef } from 'react';
import { call } from '@/api/client';
import { isApiError } from '@/api/errors';
import { useLive, useLiveState } from '@/api/live';
import type { Delivery, DeliveryPage, Queue, ReplayJob, ReplayPage, WholeDelivery } from '@/api/operators';
import { pollEvery } from '@/api/query';
import { useMay } from '@/api/useSession';
import { queryOf, type DeliveryFilters } from './filters';
import { PAGE, useRows } from './list';
import type { Page } from './merge';

const RUSH_MS = 1000; // workers may say something a hundred times a second: it is looked at once

interface Rows extends Page<Delivery> {
  redigido: boolean;
  atraso: number;
}

/** `act` at once, then at most once in RUSH_MS with what came in between. */
export function useGathered(act: (ids: number[]) => void): (ids?: readonly number[]) => void {
  const latest = useRef(act);
  const gathered = useRef(new Set<number>());
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback((ids = []) => {
    for (const id of ids) gathered.current.add(id);
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      latest.current([...gathered.current]);
      gathered.current.clear();
    }, RUSH_MS);
  }, []);
}

export function useDeliveries(filters: DeliveryFilters, follow: boolean) {
  const client = useQueryClient();
  const key = JSON.stringify(filters);
  const queryKey = useMemo(() => ['deliveries', 'list', key], [key]);
  const read = useCallback(async (cursor: string, signal?: AbortSignal): Promise<Rows> => {
    const query = { ...queryOf(JSON.parse(key) as DeliveryFilters, Date.now()), limite: PAGE, cursor };
    const { data } = await call<DeliveryPage>('GET', '/api/entregas', { query, signal });
    return { rows: data.entregas, proximo: data.proximo, redigido: data.redigido ?? false, atraso: data.atraso ?? 0 };
  }, [key]);
  const rows = useRows<Delivery, Rows>({ queryKey, read, follow });
  const gather = useGathered((ids) => {
    void client.invalidateQueries({ queryKey: [...queryKey, 'head'] });
    void client.invalidateQueries({ queryKey: ['queue'] });
    void rows.changed(ids);
  });
  useLive('entrega', (event) => gather(event.ids));
  useLive('perdido', () => void client.invalidateQueries({ queryKey: ['deliveries'] }));
  return rows;
}

export function useDelivery(id: number) {
  const client = useQueryClient();
  const live = useLiveState();
  const queryKey = ['deliveries', 'one', id];
  useLive('entrega', (event) => {
    // More than 50 in a batch are not all named.
    if (!event.ids || event.ids.includes(id) || event.ids.length >= 50) void client.invalidateQueries({ queryKey });
  });
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await call<WholeDelivery>('GET', `/api/entregas/${id}`, { signal, timeoutMs: 30_000 })).data,
    refetchInterval: (query) => (query.state.data?.estado === 'pendente' ? pollEvery(live, 3000) : false),
    staleTime: 0,
  });
}

export function useQueue() {
  const live = useLiveState();
  return useQuery({
    queryKey: ['queue'],
    queryFn: async ({ signal }) => (await call<Queue>('GET', '/api/fila', { signal })).data,
    refetchInterval: (query) => (isApiError(query.state.error, 404) ? false : Math.min(pollEvery(live), 5000)),
    staleTime: 0,
  });
}

const FOLLOW_MS = 1000;

/** The delivery that a request brought, until it is done. undefined: it is not archived yet. */
export function useByRequest(requestId: string) {
  return useQuery({
    queryKey: ['deliveries', 'request', requestId],
    queryFn: async ({ signal }) => {
      const { data } = await call<DeliveryPage>('GET', '/api/entregas', { query: { request_id: requestId, limite: 1 }, signal });
      return data.entregas[0] ?? null;
    },
    enabled: requestId !== '',
    refetchInterval: (query) => (query.state.data && query.state.data.estado !== 'pendente' ? false : FOLLOW_MS),
    staleTime: 0,
  });
}

export function useJobs() {
  const live = useLiveState();
  const mayAct = useMay('operador');
  return useInfiniteQuery({
    queryKey: ['jobs', 'list'],
    queryFn: async ({ pageParam, signal }) => (await call<ReplayPage>('GET', '/api/reenvios', { query: { cursor: pageParam }, signal })).data,
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
    refetchInterval: (query) => (query.state.data?.pages.some((page) => page.reenvios.some((job) => job.estado === 'em_andamento')) ? 2000 : pollEvery(live, 15_000)),
    enabled: mayAct,
  });
}

export function useJob(id: number) {
  return useQuery({
    queryKey: ['jobs', 'one', id],
    queryFn: async ({ signal }) => (await call<ReplayJob>('GET', `/api/reenvios/${id}`, { signal })).data,
    refetchInterval: (query) => (query.state.data && query.state.data.estado !== 'em_andamento' ? false : 1000),
    staleTime: 0,
  });
}
