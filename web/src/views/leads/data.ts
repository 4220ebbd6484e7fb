// What the leads views read. These shapes stand here until docs/openapi.yaml has the routes.
import { useInfiniteQuery, useQuery, useQueryClient, type InfiniteData } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import { call } from '@/api/client';
import { useLive, useLiveState } from '@/api/live';
import { pollEvery } from '@/api/query';

export type LeadState = 'pendente' | 'completo' | 'falhou' | 'teste';
export const LEAD_STATES: LeadState[] = ['pendente', 'completo', 'falhou', 'teste'];

export interface Lead {
  leadgen_id: string;
  pagina_id: string | null;
  formulario_id: string | null;
  anuncio_id: string | null;
  conjunto_id: string | null;
  estado: LeadState;
  teste: boolean;
  nome: string | null;
  email: string | null;
  telefone: string | null;
  criado_em: string | null;
  recebido_em: string;
  entrega_id: number | null;
}

export interface LeadsPage {
  leads: Lead[];
  proximo: string | null;
  redigido: boolean;
}

export interface LeadEvent {
  id: number;
  chave: string;
  objeto: string | null;
  campo: string | null;
  estado: string | null;
  ocorrido_em: string | null;
  criado_em: string;
  entrega_id: number | null;
}

export interface WholeLead extends Lead {
  redigido?: boolean;
  campos: { name: string; values: string[] }[] | null;
  tentativas: number;
  consultado_em: string | null;
  ultimo_erro: string | null;
  proxima_em: string | null;
  eventos: LeadEvent[];
}

export const FILTERS = { busca: '', pagina: '', formulario: '', estado: '', desde: '', ate: '' };
export type LeadFilters = typeof FILTERS;
type LeadsData = InfiniteData<LeadsPage, string>;

const PAGE = 100; // the most that the API gives at once
const key = (filters: LeadFilters): unknown[] => ['leads', 'list', filters];

export function useLeads(filters: LeadFilters) {
  const client = useQueryClient();
  const live = useLiveState();
  const [waiting, setWaiting] = useState(0);
  const [pending, setPending] = useState(filters);
  if (pending !== filters) { // another list: what is new was counted for the one before
    setPending(filters);
    setWaiting(0);
  }
  const list = useInfiniteQuery<LeadsPage, Error, LeadsData, readonly unknown[], string>({
    queryKey: key(filters),
    queryFn: async ({ pageParam, signal }) =>
      (await call<LeadsPage>('GET', '/api/leads', { query: { ...filters, limite: PAGE, cursor: pageParam }, signal })).data,
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
    staleTime: Infinity, // rows do not move under the reader: the bar says what came
    refetchOnWindowFocus: false,
  });
  const newest = list.data?.pages[0]?.leads[0]?.leadgen_id;

  // While no stream tells, the first row is looked at now and then.
  useQuery({
    queryKey: ['leads', 'head', filters],
    queryFn: async ({ signal }) => {
      const { data } = await call<LeadsPage>('GET', '/api/leads', { query: { ...filters, limite: 50 }, signal });
      const at = data.leads.findIndex((lead) => lead.leadgen_id === newest);
      setWaiting((before) => Math.max(before, at < 0 ? data.leads.length : at));
      return null;
    },
    enabled: list.isSuccess && live !== 'open',
    refetchInterval: pollEvery(live, 15_000),
    retry: false,
    gcTime: 0,
  });
  useLive('lead', ({ quantos, leads }) => {
    // A page of ids says for which form they are; words, state and time only the API can tell.
    const known = leads.length >= quantos;
    const fitting = leads.filter((lead) => (filters.formulario === '' || lead.formulario_id === filters.formulario)
      && (filters.pagina === '' || lead.pagina_id === filters.pagina)).length;
    setWaiting((before) => before + (known ? fitting : quantos));
    void client.invalidateQueries({ queryKey: ['leads', 'one'] });
  });
  useLive('perdido', () => void client.invalidateQueries({ queryKey: ['leads'] }));

  const show = useCallback(() => {
    setWaiting(0);
    // From the top: pages behind the first would be read one after the other.
    client.setQueryData<LeadsData>(key(filters), (data) => data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) });
    void client.invalidateQueries({ queryKey: key(filters) });
  }, [client, filters]);
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.leads) ?? [], [list.data]);
  return { list, rows, waiting, show, redacted: list.data?.pages[0]?.redigido ?? false };
}

export function useLead(id: string) {
  return useQuery({
    queryKey: ['leads', 'one', id],
    queryFn: async ({ signal }) => (await call<WholeLead>('GET', `/api/leads/${encodeURIComponent(id)}`, { signal })).data,
    enabled: /^\d{1,32}$/.test(id),
  });
}
