import './deliveries.css';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { call } from '@/api/client';
import { isApiError } from '@/api/errors';
import { ACTS, type ReplayJob } from '@/api/operators';
import { useMay } from '@/api/useSession';
import { useFormat } from '@/i18n/format';
import { useHeading, useTitle } from '@/lib/page';
import { Button } from '@/ui/Button';
import { confirm } from '@/ui/confirm';
import { Icon } from '@/ui/icons';
import { Empty, ErrorBox, Loading, useErrorWords } from '@/ui/states';
import { Time } from '@/ui/Time';
import { toast } from '@/ui/toast';
import { useJob, useJobs } from './data';
import { active, DELIVERY_FILTERS, search, type DeliveryFilters } from './filters';
import { useFilterWords } from './Filters';
import { Facts, JobBadge, SubNav } from './parts';

function filtersOf(job: ReplayJob): DeliveryFilters {
  const given = Object.entries(job.filtro).filter(([name, value]) => Object.hasOwn(DELIVERY_FILTERS, name) && typeof value === 'string');
  return { ...DELIVERY_FILTERS, ...Object.fromEntries(given) };
}

function useJobFilter(): (job: ReplayJob) => string {
  const words = useFilterWords();
  return (job) => {
    const filters = filtersOf(job);
    return active(filters).map((name) => words(name, filters[name])).join(' · ');
  };
}

function List() {
  const { t } = useTranslation(['deliveries', 'common']);
  const format = useFormat();
  const filterOf = useJobFilter();
  const { data, error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage, refetch } = useJobs();
  const jobs = data?.pages.flatMap((page) => page.reenvios) ?? [];
  if (error && !data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Loading />;
  if (jobs.length === 0) return <Empty icon="replay" title={t('jobs.empty')}><p>{t('jobs.emptyText')}</p><Link className="button" href="/entregas?estado=morta">{t('queue.seeDead')}</Link></Empty>;
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, and must so from the keyboard */}
      <div className="table-frame" tabIndex={0} role="region" aria-label={t('jobs.list')}>
        <table className="table--plain">
          <thead><tr>{(['id', 'state', 'filter', 'progress', 'by', 'when'] as const).map((name) => <th key={name} scope="col">{t(`jobs.col.${name}`)}</th>)}</tr></thead>
          <tbody>
            {jobs.map((job) => (
              <tr key={job.id}>
                <td data-label={t('jobs.col.id')}><Link href={`/reenvios/${job.id}`} aria-label={t('jobs.number', { id: job.id })}>{job.id}</Link></td>
                <td data-label={t('jobs.col.state')}><JobBadge state={job.estado} /></td>
                <td data-label={t('jobs.col.filter')}>{filterOf(job)}</td>
                <td data-label={t('jobs.col.progress')}>{t('jobs.done', { feitas: format.number(job.processadas + job.mortas), marcadas: format.number(job.marcadas) })}</td>
                <td data-label={t('jobs.col.by')}>{job.criado_por}</td>
                <td data-label={t('jobs.col.when')}><Time at={job.criado_em} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {hasNextPage && <p className="table-foot"><Button kind="quiet" size="small" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>{t('common:loadMore')}</Button></p>}
    </>
  );
}

function Cancel({ job }: { job: ReplayJob }) {
  const { t } = useTranslation('deliveries');
  const client = useQueryClient();
  const words = useErrorWords();
  const [busy, setBusy] = useState(false);
  const cancel = async (): Promise<void> => {
    if (!(await confirm({ title: t('jobs.cancelTitle'), text: <p>{t('jobs.cancelText')}</p>, action: t('jobs.cancel'), danger: true }))) return;
    setBusy(true);
    try {
      const { data } = await call<ReplayJob>('POST', `/api/reenvios/${job.id}/cancelar`);
      client.setQueryData(['jobs', 'one', job.id], data);
      toast(t('jobs.cancelled'));
    } catch (error) {
      const { title, detail } = words(error);
      toast(detail ?? title, { tone: 'bad' });
      void client.invalidateQueries({ queryKey: ['jobs'] });
    } finally {
      setBusy(false);
    }
  };
  return <Button kind="danger" busy={busy} onClick={() => void cancel()}>{t('jobs.cancel')}</Button>;
}

function Job({ job }: { job: ReplayJob }) {
  const { t } = useTranslation('deliveries');
  const format = useFormat();
  const filterOf = useJobFilter();
  const mayAct = useMay(ACTS);
  const done = job.processadas + job.mortas;
  const running = job.estado === 'em_andamento';
  return (
    <section className="card stack" aria-label={t('jobs.number', { id: job.id })}>
      <div className="cluster spread"><JobBadge state={job.estado} />{running && mayAct && <Cancel job={job} />}</div>
      <div className="stack stack--tight">
        <progress className="progress" aria-label={t('jobs.progress')} max={Math.max(job.marcadas, 1)} value={running ? done : Math.max(done, job.marcadas === 0 ? 1 : done)} />
        <p role="status">{t('jobs.done', { feitas: format.number(done), marcadas: format.number(job.marcadas) })}</p>
        {job.estado === 'concluido' && <p><strong>{job.mortas > 0 ? t('jobs.resultDead', { count: job.mortas }) : t('jobs.resultOk')}</strong></p>}
        {job.erro && <p className="field__error">{job.erro}</p>}
      </div>
      <Facts rows={[
        [t('jobs.col.filter'), filterOf(job)], [t('jobs.marked'), format.number(job.marcadas)], [t('jobs.ok'), format.number(job.processadas)],
        [t('jobs.dead'), format.number(job.mortas)], [t('jobs.left'), format.number(job.por_fazer)], [t('jobs.max'), format.number(job.maximo)],
        [t('jobs.by'), job.criado_por], [t('jobs.began'), <Time key="b" at={job.criado_em} exact />], [t('jobs.ended'), job.terminado_em && <Time key="e" at={job.terminado_em} exact />],
      ]} />
      <p><Link href={`/entregas${search(filtersOf(job))}`}>{t('jobs.see')}</Link></p>
    </section>
  );
}

function One({ id }: { id: string }) {
  const { t } = useTranslation('deliveries');
  const valid = /^[1-9]\d{0,15}$/.test(id);
  const { data, error, isPending, refetch } = useJob(valid ? Number(id) : 0);
  return (
    <div className="stack">
      <p><Link className="button button--quiet" href="/reenvios"><Icon name="back" />{t('jobs.back')}</Link></p>
      {!valid || isApiError(error, 404) ? <Empty title={t('jobs.gone')} /> : (
        <>
          {error && <ErrorBox error={error} inline={data !== undefined} onRetry={() => void refetch()} />}
          {isPending && <Loading rows={2} />}
          {data && <Job job={data} />}
        </>
      )}
    </div>
  );
}

export default function JobsView() {
  const { t } = useTranslation('deliveries');
  const id = useParams<{ id?: string }>().id;
  const title = id ? t('jobs.number', { id }) : t('jobs.title');
  useTitle(title);
  useHeading();
  return (
    <div>
      <div className="page-head"><h1 tabIndex={-1}>{title}</h1></div>
      <SubNav />
      {id ? <One id={id} /> : <List />}
    </div>
  );
}
