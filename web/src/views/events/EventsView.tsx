import '../deliveries/deliveries.css';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ColumnDef } from '@tanstack/react-table';
import { useCallback, useMemo, useState, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useParams, useSearch } from 'wouter';
import { call } from '@/api/client';
import { isApiError } from '@/api/errors';
import { useLive, useLiveState } from '@/api/live';
import type { EventPage, StackEvent } from '@/api/operators';
import { useHeading, useTitle } from '@/lib/page';
import { useUrlState } from '@/lib/urlState';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { DataTable } from '@/ui/DataTable';
import { SelectField, TextField } from '@/ui/Field';
import { Icon } from '@/ui/icons';
import { JsonTree } from '@/ui/json/JsonTree';
import { LiveMark } from '@/ui/LiveMark';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { Time } from '@/ui/Time';
import { useGathered } from '../deliveries/data';
import { isSpan, moment, SPANS, type Span } from '../deliveries/filters';
import { PAGE, useRows } from '../deliveries/list';
import { allRows, type Page } from '../deliveries/merge';
import { Facts, NewBar } from '../deliveries/parts';
import { SavedFilters } from '../deliveries/SavedFilters';
import { readEvent } from './one';

const ADDRESS = { entrega: '', campo: '', valor: '', desde: '', ate: '' };
type EventFilters = typeof ADDRESS;

interface Rows extends Page<StackEvent> {
  atraso: number;
  redigido: boolean;
}

function useEvents(filters: EventFilters) {
  const client = useQueryClient();
  const key = JSON.stringify(filters);
  const queryKey = useMemo(() => ['events', 'list', key], [key]);
  const read = useCallback(async (cursor: string, signal?: AbortSignal): Promise<Rows> => {
    const { desde, ate, campo, valor, entrega } = JSON.parse(key) as EventFilters;
    const query = { limite: PAGE, cursor, entrega, valor, campo: valor === '' ? '' : campo, desde: moment(desde, Date.now()), ate: moment(ate, Date.now()) };
    const { data } = await call<EventPage>('GET', '/api/eventos', { query, signal });
    return { rows: data.eventos, proximo: data.proximo, atraso: data.atraso ?? 0, redigido: data.redigido ?? false };
  }, [key]);
  const gather = useGathered(() => void client.invalidateQueries({ queryKey: [...queryKey, 'head'] }));
  useLive('entrega', () => gather());
  useLive('perdido', () => void client.invalidateQueries({ queryKey: ['events'] }));
  return useRows<StackEvent, Rows>({ queryKey, read, follow: false });
}

function Head({ name }: { name: 'id' | 'what' | 'entity' | 'state' | 'when' | 'delivery' }) {
  const { t } = useTranslation('events');
  return t(`col.${name}`);
}
function IdCell({ id }: { id: number }) {
  const { t } = useTranslation('events');
  const query = useSearch();
  return <Link href={`/eventos/${id}${query === '' ? '' : `?${query}`}`} aria-label={t('openRow', { id })}>{id}</Link>;
}
const what = (event: Pick<StackEvent, 'objeto' | 'campo'>): string => [event.objeto, event.campo].filter(Boolean).join(' / ');

const SHORT: ColumnDef<StackEvent>[] = [
  { id: 'id', header: () => <Head name="id" />, cell: ({ row }) => <IdCell id={row.original.id} />, meta: { width: '6rem' } },
  { id: 'what', header: () => <Head name="what" />, cell: ({ row }) => what(row.original), meta: { width: 'minmax(9rem, 1fr)' } },
  { id: 'when', header: () => <Head name="when" />, cell: ({ row }) => <Time at={row.original.criado_em} />, meta: { width: 'minmax(6.5rem, 1fr)' } },
];
const FULL: ColumnDef<StackEvent>[] = [
  ...SHORT,
  { id: 'state', header: () => <Head name="state" />, cell: ({ row }) => row.original.estado && <Badge>{row.original.estado}</Badge>, meta: { width: '9rem' } },
  { id: 'entity', header: () => <Head name="entity" />, cell: ({ row }) => <span className="mono">{row.original.entidade}</span>, meta: { width: 'minmax(9rem, 1fr)' } },
  { id: 'delivery', header: () => <Head name="delivery" />, cell: ({ row }) => row.original.entrega_id && <Link href={`/entregas/${row.original.entrega_id}`}>{row.original.entrega_id}</Link>, meta: { width: '7rem' } },
];

function Filters({ filters, set }: { filters: EventFilters; set: (change: Partial<EventFilters>) => void }) {
  const { t } = useTranslation(['deliveries', 'events']);
  const [typed, setTyped] = useState(filters);
  const [seen, setSeen] = useState(filters);
  if (seen !== filters) {
    setSeen(filters);
    setTyped(filters);
  }
  const field = (name: 'entrega' | 'campo' | 'valor', label: string, hint?: string): React.ReactNode => (
    <TextField label={label} hint={hint} value={typed[name]} maxLength={300} onChange={(event) => setTyped({ ...typed, [name]: event.target.value.trim() })} />
  );
  const submit = (event: SubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    set(typed);
  };
  const on = Object.entries(filters).filter(([, value]) => value !== '');
  return (
    <div className="filters">
      <form role="search" onSubmit={submit}>
        <div className="filters__grid">
          {field('campo', t('search.field'), t('search.fieldHint'))}
          {field('valor', t('search.value'), t('search.valueHint'))}
          {field('entrega', t('search.delivery'))}
          <SelectField label={t('search.span')} value={isSpan(typed.desde) ? typed.desde : ''} onChange={(event) => set({ ...typed, desde: event.target.value, ate: '' })}>
            <option value="">{t('search.always')}</option>
            {(Object.keys(SPANS) as Span[]).map((one) => <option key={one} value={one}>{t(`search.last.${one}`)}</option>)}
          </SelectField>
        </div>
        <div className="cluster">
          <Button type="submit" kind="primary" icon="search">{t('search.go')}</Button>
          {on.length > 0 && <Button kind="quiet" onClick={() => set(ADDRESS)}>{t('search.clear')}</Button>}
        </div>
      </form>
      <SavedFilters list="eventos" search={on.length > 0 ? `?${new URLSearchParams(on).toString()}` : ''} />
    </div>
  );
}

function Detail({ id, tail }: { id: string; tail: string }) {
  const { t } = useTranslation(['events', 'deliveries']);
  const valid = /^[1-9]\d{0,15}$/.test(id);
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ['events', 'one', id],
    queryFn: ({ signal }) => readEvent(id, signal),
    enabled: valid,
  });
  const gone = !valid || isApiError(error, 404);
  return (
    <div className="split__detail">
      <p><Link className="button button--quiet" href={`/eventos${tail}`}><Icon name="back" />{t('back')}</Link></p>
      {gone && <Empty title={t('gone')} />}
      {!gone && error && <ErrorBox error={error} inline={data !== undefined} onRetry={() => void refetch()} />}
      {!gone && isPending && <Loading rows={2} />}
      {data && (
        <>
          <section className="card">
            <Facts rows={[
              [t('col.what'), what(data)], [t('col.state'), data.estado && <Badge key="s">{data.estado}</Badge>], [t('col.entity'), data.entidade], [t('subject'), data.assunto],
              [t('contact'), data.contato], [t('happened'), data.ocorrido_em && <Time key="o" at={data.ocorrido_em} exact />], [t('stored'), <Time key="c" at={data.criado_em} exact />],
              [t('key'), <span key="k" className="mono">{data.chave}</span>],
              [t('delivery'), data.entrega_id && <Link key="d" href={`/entregas/${data.entrega_id}`}>{t('deliveries:number', { id: data.entrega_id })}</Link>],
            ]} />
          </section>
          <section className="card stack stack--tight" aria-labelledby="conteudo-evento">
            <h2 id="conteudo-evento">{t('content')}</h2>
            {data.redigido && <p className="small muted">{t('deliveries:redacted')}</p>}
            {data.conteudo === null ? <p className="muted">{t('noContent')}</p>
              : <JsonTree text={data.conteudo} search={(campo, valor) => `/eventos?${new URLSearchParams({ campo, valor }).toString()}`} />}
          </section>
        </>
      )}
    </div>
  );
}

export default function EventsView() {
  const { t } = useTranslation(['events', 'deliveries']);
  const live = useLiveState();
  const [, go] = useLocation();
  const query = useSearch();
  const opened = useParams<{ id?: string }>().id;
  const [filters, set] = useUrlState(ADDRESS);
  const rows = useEvents(filters);
  const { data, error, isPending, isFetchingNextPage, hasNextPage, isFetchNextPageError, fetchNextPage, refetch } = rows.list;
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const title = opened ? t('number', { id: opened }) : t('title');
  useTitle(title);
  useHeading();
  const tail = query === '' ? '' : `?${query}`;
  const all = allRows(data);
  const first = data?.pages[0];
  const filtered = Object.values(filters).some((value) => value !== '');
  return (
    <div>
      <div className="page-head"><h1 tabIndex={-1}>{title}</h1><LiveMark state={live} /></div>
      <div className={opened ? 'split split--open' : 'split'}>
        <div className="split__list">
          {!opened && <Filters filters={filters} set={set} />}
          {first && first.atraso > 0 && <p className="small muted">{t('deliveries:lag', { count: first.atraso })}</p>}
          {first?.redigido && <p className="small muted">{t('deliveries:redacted')}</p>}
          <NewBar count={rows.waiting} onShow={() => rows.show()} text={rows.waitingMore ? t('newMore', { count: rows.waiting - 1 }) : t('new', { count: rows.waiting })} />
          {error && !data && <ErrorBox error={error} onRetry={() => void refetch()} />}
          {isPending && <Loading />}
          {data && all.length === 0 && <Empty icon={filtered ? 'search' : 'events'} title={t(filtered ? 'noneTitle' : 'emptyTitle')}><p>{t(filtered ? 'noneText' : 'emptyText')}</p></Empty>}
          {all.length > 0 && (
            <DataTable<StackEvent> label={t('list')} columns={opened ? SHORT : FULL} rows={all} rowId={(row) => String(row.id)} selectedId={opened ?? null} isNew={rows.isNew}
              onOpen={(row) => go(`/eventos/${row.id}${tail}`)} hasMore={hasNextPage} fetching={isFetchingNextPage} error={isFetchNextPageError ? error : null} onMore={more} />
          )}
        </div>
        {opened && <Detail key={opened} id={opened} tail={tail} />}
      </div>
    </div>
  );
}
