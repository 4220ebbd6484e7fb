import './deliveries.css';
import type { ColumnDef } from '@tanstack/react-table';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useParams, useSearch } from 'wouter';
import { useLiveState } from '@/api/live';
import { ACTS, type Delivery } from '@/api/operators';
import { useMay } from '@/api/useSession';
import { useFormat } from '@/i18n/format';
import { useHeading, useTitle } from '@/lib/page';
import { useUrlState } from '@/lib/urlState';
import { Button } from '@/ui/Button';
import { DataTable } from '@/ui/DataTable';
import { LiveMark } from '@/ui/LiveMark';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { Time } from '@/ui/Time';
import { useDeliveries } from './data';
import { DeliveryPanel } from './DeliveryPanel';
import { Filters } from './Filters';
import { active, DELIVERY_FILTERS, replayObstacle } from './filters';
import { allRows } from './merge';
import { NewBar, StateBadge, SubNav } from './parts';
import { QueuePanel } from './QueuePanel';
import { ReplayAll } from './ReplayAll';

const ADDRESS = { ...DELIVERY_FILTERS, seguir: '' };

function Head({ name }: { name: 'id' | 'state' | 'received' | 'reason' | 'attempts' | 'bytes' | 'request' }) {
  const { t } = useTranslation('deliveries');
  return t(`col.${name}`);
}
function IdCell({ id }: { id: number }) {
  const { t } = useTranslation('deliveries');
  const query = useSearch();
  return <Link href={`/entregas/${id}${query === '' ? '' : `?${query}`}`} aria-label={t('openRow', { id })}>{id}</Link>;
}
function Bytes({ value }: { value: number }) {
  return useFormat().bytes(value);
}

const SHORT: ColumnDef<Delivery>[] = [
  { id: 'id', header: () => <Head name="id" />, cell: ({ row }) => <IdCell id={row.original.id} />, meta: { width: '6rem' } },
  { id: 'state', header: () => <Head name="state" />, cell: ({ row }) => <StateBadge state={row.original.estado} />, meta: { width: '9.5rem' } },
  { id: 'received', header: () => <Head name="received" />, cell: ({ row }) => <Time at={row.original.recebida_em} />, meta: { width: 'minmax(6.5rem, 1fr)' } },
];
const FULL: ColumnDef<Delivery>[] = [
  ...SHORT,
  { id: 'reason', header: () => <Head name="reason" />, cell: ({ row }) => row.original.motivo ?? '', meta: { width: 'minmax(9rem, 2fr)' } },
  { id: 'attempts', header: () => <Head name="attempts" />, cell: ({ row }) => row.original.tentativas, meta: { width: '6.5rem', end: true } },
  { id: 'bytes', header: () => <Head name="bytes" />, cell: ({ row }) => <Bytes value={row.original.bytes} />, meta: { width: '6.5rem', end: true } },
  { id: 'request', header: () => <Head name="request" />, cell: ({ row }) => <span className="mono">{row.original.request_id ?? ''}</span>, meta: { width: 'minmax(9rem, 1fr)' } },
];

export default function DeliveriesView() {
  const { t } = useTranslation('deliveries');
  const format = useFormat();
  const live = useLiveState();
  const mayAct = useMay(ACTS);
  const [, go] = useLocation();
  const query = useSearch();
  const opened = useParams<{ id?: string }>().id;
  const [{ seguir, ...filters }, set] = useUrlState(ADDRESS);
  const [asking, setAsking] = useState(false);
  const rows = useDeliveries(filters, seguir !== '');
  const { data, error, isPending, isFetchingNextPage, hasNextPage, isFetchNextPageError, fetchNextPage, refetch } = rows.list;
  useTitle(opened ? t('number', { id: opened }) : t('title'));
  useHeading();
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const tail = query === '' ? '' : `?${query}`;
  const obstacle = replayObstacle(filters);
  const first = data?.pages[0];
  const all = allRows(data);

  const list = (): React.ReactNode => {
    if (error && !data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
    if (isPending) return <Loading />;
    if (all.length === 0) {
      return active(filters).length > 0 ? <Empty icon="search" title={t('noneTitle')}><p>{t('noneText')}</p><Button onClick={() => set(DELIVERY_FILTERS)}>{t('search.clear')}</Button></Empty>
        : <Empty icon="deliveries" title={t('emptyTitle')}><p>{t('emptyText')}</p>{mayAct && <Link className="button button--primary" href="/teste">{t('test.quick')}</Link>}</Empty>;
    }
    return (
      <DataTable<Delivery> label={t('list')} columns={opened ? SHORT : FULL} rows={all} rowId={(row) => String(row.id)} selectedId={opened ?? null}
        onOpen={(row) => go(`/entregas/${row.id}${tail}`)} isNew={rows.isNew} hasMore={hasNextPage} fetching={isFetchingNextPage} error={isFetchNextPageError ? error : null} onMore={more} />
    );
  };

  return (
    <div>
      <div className="page-head">
        <h1 tabIndex={-1}>{opened ? t('number', { id: opened }) : t('title')}</h1>
        <LiveMark state={live} />
      </div>
      <SubNav />
      {!opened && <QueuePanel />}
      <div className={opened ? 'split split--open' : 'split'}>
        <div className="split__list">
          {!opened && <Filters filters={filters} set={set} />}
          <div className="cluster spread list-tools">
            <label className="cluster small"><input type="checkbox" checked={seguir !== ''} onChange={(event) => set({ seguir: event.target.checked ? '1' : '' }, { replace: true })} />{t('follow')}</label>
            {mayAct && !opened && <Button size="small" icon="replay" off={obstacle !== null} aria-describedby={obstacle ? 'sem-reenvio' : undefined} onClick={() => setAsking(true)}>{t('all.button')}</Button>}
          </div>
          {mayAct && !opened && obstacle && <p className="muted small" id="sem-reenvio">{t(`all.why.${obstacle}`)}</p>}
          {first && first.atraso > 0 && <p className="small muted">{t('lag', { count: first.atraso, formatted: format.number(first.atraso) })}</p>}
          {first?.redigido && <p className="small muted">{t('redacted')}</p>}
          <NewBar count={rows.waiting} onShow={() => rows.show()} text={rows.waitingMore ? t('newMore', { count: rows.waiting - 1 }) : t('new', { count: rows.waiting })} />
          {list()}
        </div>
        {opened && <DeliveryPanel key={opened} id={opened} tail={tail} />}
      </div>
      {asking && <ReplayAll filters={filters} onClose={() => setAsking(false)} />}
    </div>
  );
}
