import './now.css';
import { lazy, Suspense, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLiveState, type Sample } from '@/api/live';
import { isApiError } from '@/api/errors';
import { wantSignIn } from '@/api/session';
import { useStatus, type Status } from '@/api/status';
import { useSession } from '@/api/useSession';
import { useFormat } from '@/i18n/format';
import { useOnline } from '@/lib/online';
import { useHeading, useTitle } from '@/lib/page';
import { Badge, type Tone } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { Icon, type IconName } from '@/ui/icons';
import { LiveMark } from '@/ui/LiveMark';
import { ErrorBox, Loading } from '@/ui/states';
import { useSamples, useStats } from './data';

const Charts = lazy(() => import('./Charts'));

function Part({ icon, name, what, tone, word }: { icon: IconName; name: string; what: ReactNode; tone: Tone; word: ReactNode }) {
  return (
    <li className="part">
      <Icon name={icon} size={22} className="part__icon" />
      <div className="grow">
        <h3>{name}</h3>
        <p className="muted small">{what}</p>
      </div>
      <Badge tone={tone} icon={tone === 'plain' ? 'wait' : undefined}>{word}</Badge>
    </li>
  );
}

function Parts({ status, failed, sample, signedIn }: { status: Status | undefined; failed: boolean; sample: Sample | undefined; signedIn: boolean }) {
  const { t } = useTranslation('now');
  const format = useFormat();
  const online = useOnline();
  const server = (state: string | undefined): [Tone, string] => {
    if (failed || !online) return ['plain', t('word.unknown')];
    if (!state) return ['plain', t('word.checking')];
    return state === 'conectado' ? ['good', t('word.ok')] : ['bad', t('word.down')];
  };
  const own = (): [Tone, string] => {
    if (!online) return ['plain', t('word.unknown')];
    if (failed) return ['bad', t('word.noAnswer')];
    if (!status) return ['plain', t('word.checking')];
    return status.status === 'encerrando' ? ['warn', t('word.stopping')] : ['good', t('word.ok')];
  };
  const queue = (): [Tone, string] => {
    if (!signedIn) return ['plain', t('word.signIn')];
    if (!online || !sample?.fila) return ['plain', t('word.unknown')];
    const { comprimento } = sample.fila;
    return comprimento === 0 ? ['good', t('word.empty')] : ['info', t('word.waiting', { count: comprimento })];
  };
  const workers = (): [Tone, string] => {
    if (!signedIn) return ['plain', t('word.signIn')];
    if (!online || !sample) return ['plain', t('word.unknown')];
    return sample.workers > 0 ? ['good', t('word.alive', { count: sample.workers })] : ['bad', t('word.none')];
  };
  const rows: [IconName, string, ReactNode, [Tone, string]][] = [
    ['server', t('api'), sample ? t('what.instances', { count: sample.instancias }) : t('what.api'), own()],
    ['database', t('database'), t('what.database'), server(status?.banco_dados)],
    ['cache', t('cache'), t('what.cache'), server(status?.cache)],
    ['queue', t('queue'), sample?.fila?.mais_antiga_s ? t('what.oldest', { tempo: format.seconds(sample.fila.mais_antiga_s) }) : t('what.queue'), queue()],
    ['worker', t('workers'), t('what.workers'), workers()],
  ];
  return (
    <ul className="parts">
      {rows.map(([icon, name, what, [tone, word]]) => <Part key={name} {...{ icon, name, what, tone, word }} />)}
    </ul>
  );
}

function Counts() {
  const { t } = useTranslation('now');
  const format = useFormat();
  const { data, error, refetch } = useStats();
  if (error && !data) return <ErrorBox inline error={error} onRetry={() => void refetch()} />;
  return (
    <dl className="counts">
      <div><dt>{t('totalPosts')}</dt><dd>{data ? format.number(data.total_posts) : '–'}</dd></div>
      <div><dt>{t('totalRequests')}</dt><dd>{data ? format.number(data.total_requisicoes) : '–'}</dd></div>
    </dl>
  );
}

function LiveCharts({ query }: { query: ReturnType<typeof useSamples> }) {
  const { t } = useTranslation('now');
  const { data, error, isPending, refetch } = query;
  if (isApiError(error, 404)) return <p className="muted">{t('absent')}</p>;
  if (error && !data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Loading rows={2} />;
  if (data.amostras.length === 0) return <p className="muted">{t('noSamples')}</p>;
  return <Suspense fallback={<Loading rows={2} />}><Charts samples={data.amostras} stepMs={data.intervalo_s * 1000} /></Suspense>;
}

export default function NowView() {
  const { t } = useTranslation(['now', 'common']);
  const format = useFormat();
  const live = useLiveState();
  const { user, ended } = useSession();
  const status = useStatus(5000);
  const signedIn = user !== null || ended;
  const samples = useSamples(user !== null);
  useTitle(t('title'));
  useHeading();
  const failed = status.error !== null;
  return (
    <div className="now">
      <div className="page-head">
        <h1 tabIndex={-1}>{t('title')}</h1>
        <LiveMark state={live} />
      </div>
      {failed && <ErrorBox inline error={status.error} onRetry={() => void status.refetch()} />}
      <div className="now__top">
        <section className="card" aria-labelledby="partes">
          <div className="cluster spread">
            <h2 id="partes">{t('parts')}</h2>
            {status.data && !failed && <span className="muted small num">{t('updated', { hora: format.time(status.data.timestamp) })}</span>}
          </div>
          <Parts status={status.data} failed={failed} sample={samples.data?.amostras.at(-1)} signedIn={signedIn} />
        </section>
        <section className="card" aria-labelledby="contagens">
          <h2 id="contagens">{t('counts')}</h2>
          <Counts />
        </section>
      </div>
      <section className="card" aria-labelledby="graficos">
        <h2 id="graficos">{signedIn ? t('charts') : t('gateTitle')}</h2>
        {signedIn ? <LiveCharts query={samples} /> : (
          <div className="now__gate">
            <p className="muted">{t('gateText')}</p>
            <Button onClick={() => void wantSignIn()}>{t('common:account.signIn')}</Button>
          </div>
        )}
      </section>
    </div>
  );
}
