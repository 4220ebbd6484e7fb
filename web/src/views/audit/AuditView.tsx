import type { ColumnDef } from '@tanstack/react-table';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { call } from '@/api/client';
import { useHeading, useTitle } from '@/lib/page';
import { useUrlState } from '@/lib/urlState';
import { Button } from '@/ui/Button';
import { DataTable } from '@/ui/DataTable';
import { SelectField, TextField } from '@/ui/Field';
import { SearchField } from '@/ui/SearchField';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { Time } from '@/ui/Time';

interface Entry {
  id: number;
  em: string;
  ator: string | null;
  acao: string;
  alvo: string | null;
  detalhe: Record<string, unknown> | null;
  endereco: string | null;
}

const FILTERS = { ator: '', acao: '', desde: '', ate: '' };
/** As lib/store_auditoria.h has them. */
const ACTIONS = [
  'login', 'logout', 'senha_mudada', 'conta_criada', 'conta_mudada', 'conta_removida', 'post_criado', 'post_mudado', 'post_removido',
  'entrega_reenviada', 'entregas_reenviadas', 'reenvio_criado', 'reenvio_cancelado', 'fila_pausada', 'fila_retomada',
  'evento_de_teste', 'corpo_lido', 'leads_exportados', 'arquivo_enviado', 'arquivo_removido',
] as const;

export default function AuditView() {
  const { t } = useTranslation('audit');
  const [filters, set] = useUrlState(FILTERS);
  useTitle(t('title'));
  useHeading();
  const { data, error, isPending, isFetching, hasNextPage, isFetchNextPageError, fetchNextPage, refetch } = useInfiniteQuery({
    queryKey: ['audit', filters],
    queryFn: async ({ pageParam, signal }) =>
      (await call<{ registros: Entry[]; proximo: string | null }>('GET', '/api/auditoria', { query: { ...filters, limite: 100, cursor: pageParam }, signal })).data,
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
  });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.registros) ?? [], [data]);
  const byWhom = useCallback((ator: string) => set({ ator }, { replace: true }), [set]);
  const columns = useMemo<ColumnDef<Entry>[]>(() => [
    { id: 'em', header: t('when'), meta: { width: '16.5rem' }, cell: ({ row }) => <Time at={row.original.em} exact /> },
    { id: 'ator', header: t('who'), meta: { width: 'minmax(9rem, 2fr)' }, cell: ({ row }) => row.original.ator ?? '—' },
    {
      id: 'acao', header: t('what'), meta: { width: '15.5rem' },
      cell: ({ row }) => {
        const known = ACTIONS.find((one) => one === row.original.acao);
        return known ? t(`action.${known}`) : row.original.acao;
      },
    },
    { id: 'alvo', header: t('target'), meta: { width: 'minmax(7rem, 1fr)' }, cell: ({ row }) => row.original.alvo ?? '—' },
    {
      id: 'detalhe', header: t('detail'), meta: { width: 'minmax(6rem, 2fr)' },
      cell: ({ row }) => {
        const text = row.original.detalhe ? JSON.stringify(row.original.detalhe) : '—';
        return <span className="mono" title={text}>{text}</span>;
      },
    },
    { id: 'endereco', header: t('address'), meta: { width: 'minmax(9rem, 1fr)' }, cell: ({ row }) => row.original.endereco ?? '—' },
  ], [t]);
  return (
    <>
      <div className="page-head"><h1 tabIndex={-1}>{t('title')}</h1></div>
      <div className="toolbar" role="search" aria-label={t('filters')}>
        <SearchField label={t('who')} value={filters.ator} onChange={byWhom} />
        <SelectField label={t('what')} value={filters.acao} onChange={(event) => set({ acao: event.target.value })}>
          <option value="">{t('any')}</option>
          {ACTIONS.map((one) => <option key={one} value={one}>{t(`action.${one}`)}</option>)}
        </SelectField>
        <TextField label={t('since')} type="date" value={filters.desde} onChange={(event) => set({ desde: event.target.value })} />
        <TextField label={t('until')} type="date" value={filters.ate} onChange={(event) => set({ ate: event.target.value })} />
      </div>
      {error && !isFetchNextPageError && <ErrorBox error={error} inline={data !== undefined} onRetry={() => void refetch()} />}
      {isPending && <Loading />}
      {data && rows.length === 0 && <Empty icon="audit" title={t('none')}>{Object.values(filters).some(Boolean) && <Button onClick={() => set(FILTERS)}>{t('clear')}</Button>}</Empty>}
      {rows.length > 0 && <DataTable label={t('title')} columns={columns} rows={rows} rowId={(row) => String(row.id)} hasMore={hasNextPage} fetching={isFetching}
        error={isFetchNextPageError ? error : null} onMore={() => void fetchNextPage({ cancelRefetch: false })} />}
    </>
  );
}
