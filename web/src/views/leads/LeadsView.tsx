import './leads.css';
import type { ColumnDef } from '@tanstack/react-table';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { isApiError } from '@/api/errors';
import { useLiveState } from '@/api/live';
import { useMay } from '@/api/useSession';
import { useHeading, useTitle } from '@/lib/page';
import { useUrlState } from '@/lib/urlState';
import { Button } from '@/ui/Button';
import { DataTable } from '@/ui/DataTable';
import { SelectField, TextField } from '@/ui/Field';
import { Icon } from '@/ui/icons';
import { LiveMark } from '@/ui/LiveMark';
import { SearchField } from '@/ui/SearchField';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { Time } from '@/ui/Time';
import { FILTERS, LEAD_STATES, useLeads, type Lead, type LeadFilters } from './data';
import { ExportProgress, useExport } from './Export';
import { LeadState } from './LeadState';

type Change = (change: Partial<LeadFilters>, options?: { replace?: boolean }) => void;

function Toolbar({ filters, set }: { filters: LeadFilters; set: Change }) {
  const { t } = useTranslation('leads');
  const whole = useMay('operador');
  const to = useMemo(() => {
    const one = (name: keyof LeadFilters) => (value: string) => set({ [name]: value }, { replace: true });
    return { busca: one('busca'), pagina: one('pagina'), formulario: one('formulario') };
  }, [set]);
  return (
    <div className="toolbar leads-toolbar" role="search" aria-label={t('filters')}>
      <SearchField label={t(whole ? 'search' : 'searchId')} placeholder={t(whole ? 'searchHint' : 'searchIdHint')} value={filters.busca} onChange={to.busca} />
      <SearchField label={t('form')} search={false} inputMode="numeric" value={filters.formulario} onChange={to.formulario} />
      <SearchField label={t('page')} search={false} inputMode="numeric" value={filters.pagina} onChange={to.pagina} />
      <SelectField label={t('stateLabel')} value={filters.estado} onChange={(event) => set({ estado: event.target.value })}>
        <option value="">{t('any')}</option>
        {LEAD_STATES.map((one) => <option key={one} value={one}>{t(`state.${one}`)}</option>)}
      </SelectField>
      <TextField label={t('since')} type="date" value={filters.desde} onChange={(event) => set({ desde: event.target.value })} />
      <TextField label={t('until')} type="date" value={filters.ate} onChange={(event) => set({ ate: event.target.value })} />
    </div>
  );
}

function useColumns(): ColumnDef<Lead>[] {
  const { t } = useTranslation('leads');
  return useMemo(() => {
    const text = (name: 'nome' | 'email' | 'telefone' | 'formulario_id', width: string): ColumnDef<Lead> => ({
      id: name, header: t(`column.${name}`), meta: { width },
      cell: ({ row: { original: lead } }) => lead[name],
    });
    return [
      { id: 'when', header: t('column.when'), meta: { width: '7rem' }, cell: ({ row }) => <Time at={row.original.recebido_em} /> },
      {
        id: 'id', header: t('column.id'), meta: { width: 'minmax(10.5rem, 1fr)' },
        cell: ({ row }) => <Link className="mono" href={`/leads/${row.original.leadgen_id}`}>{row.original.leadgen_id}</Link>,
      },
      // Before what is wide: it is in sight on a small screen, too.
      { id: 'state', header: t('column.state'), meta: { width: '9rem' }, cell: ({ row }) => <LeadState lead={row.original} /> },
      text('nome', 'minmax(9rem, 2fr)'), text('email', 'minmax(10rem, 2fr)'), text('telefone', 'minmax(8rem, 1fr)'), text('formulario_id', 'minmax(8rem, 1fr)'),
    ];
  }, [t]);
}

const leadId = (lead: Lead): string => lead.leadgen_id;

function Rows({ leads: { list, rows, waiting, show }, filtered, onClear }: { leads: ReturnType<typeof useLeads>; filtered: boolean; onClear: () => void }) {
  const { t } = useTranslation('leads');
  const [, go] = useLocation();
  const columns = useColumns();
  const { error, isPending, isFetching, hasNextPage, isFetchNextPageError, fetchNextPage, refetch } = list;
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const bar = waiting > 0 && <div className="leads-bar"><Button kind="primary" icon="up" onClick={show}>{t('new', { count: waiting })}</Button></div>;

  if (error && !list.data) return <ErrorBox error={error} onRetry={isApiError(error, 403) ? undefined : () => void refetch()} />;
  if (isPending) return <Loading />;
  return (
    <>
      <div role="status">{bar}</div>
      {error && !isFetchNextPageError && <ErrorBox inline error={error} onRetry={() => void refetch()} />}
      {rows.length === 0
        ? filtered
          ? <Empty icon="search" title={t('noneTitle')}><p>{t('noneText')}</p><Button onClick={onClear}>{t('clear')}</Button></Empty>
          : <Empty title={t('emptyTitle')}><p className="notice__text">{t('emptyText')}</p></Empty>
        : <DataTable label={t('title')} columns={columns} rows={rows} rowId={leadId} onOpen={(lead) => go(`/leads/${lead.leadgen_id}`)}
            hasMore={hasNextPage} fetching={isFetching} error={isFetchNextPageError ? error : null} onMore={more} />}
    </>
  );
}

export default function LeadsView() {
  const { t } = useTranslation('leads');
  const live = useLiveState();
  const [filters, set] = useUrlState(FILTERS);
  const leads = useLeads(filters);
  const csv = useExport(filters);
  useTitle(t('title'));
  useHeading();
  return (
    <>
      <div className="page-head">
        <h1 tabIndex={-1}>{t('title')}</h1>
        <div className="cluster">
          <LiveMark state={live} />
          <Button icon="download" busy={csv.progress !== null} onClick={() => void csv.start()}>{t('csv.get')}</Button>
        </div>
      </div>
      <Toolbar filters={filters} set={set} />
      <ExportProgress {...csv} />
      {leads.redacted && <p className="leads-note"><Icon name="lock" size={15} />{t('redacted')}</p>}
      <Rows leads={leads} filtered={Object.values(filters).some(Boolean)} onClear={() => set(FILTERS)} />
    </>
  );
}
