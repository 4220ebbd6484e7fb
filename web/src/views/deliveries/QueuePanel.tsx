import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { call } from '@/api/client';
import { ACTS, COUNTED_MAX, type Queue } from '@/api/operators';
import { useMay } from '@/api/useSession';
import { useFormat } from '@/i18n/format';
import { Button } from '@/ui/Button';
import { confirm } from '@/ui/confirm';
import { ErrorBox, Loading, useErrorWords } from '@/ui/states';
import { Time } from '@/ui/Time';
import { toast } from '@/ui/toast';
import { useQueue } from './data';

function PauseButton({ queue }: { queue: Queue }) {
  const { t } = useTranslation('deliveries');
  const client = useQueryClient();
  const words = useErrorWords();
  const [busy, setBusy] = useState(false);
  const verb = queue.pausada_em === null ? 'pause' : 'resume';
  const press = async (): Promise<void> => {
    if (!(await confirm({ title: t(`queue.${verb}Title`), text: <p>{t(`queue.${verb}Text`)}</p>, action: t(`queue.${verb}`) }))) return;
    setBusy(true);
    try {
      const { data } = await call<Queue>('POST', verb === 'pause' ? '/api/fila/pausar' : '/api/fila/retomar');
      client.setQueryData(['queue'], data);
      toast(t(verb === 'pause' ? 'queue.pausedNow' : 'queue.resumedNow'));
    } catch (error) {
      const { title, detail } = words(error);
      toast(detail ?? title, { tone: 'bad' });
    } finally {
      setBusy(false);
    }
  };
  return <Button icon={verb === 'pause' ? 'pause' : 'play'} kind={verb === 'pause' ? 'normal' : 'primary'} busy={busy} onClick={() => void press()}>{t(`queue.${verb}`)}</Button>;
}

export function QueuePanel() {
  const { t } = useTranslation('deliveries');
  const format = useFormat();
  const mayAct = useMay(ACTS);
  const { data, error, isPending, refetch } = useQueue();
  if (isPending) return <Loading rows={1} />;
  const number = (value: number | null | undefined): string => {
    if (value === null || value === undefined) return '–';
    return value >= COUNTED_MAX ? t('queue.moreThan', { n: format.number(COUNTED_MAX - 1) }) : format.number(value);
  };
  return (
    <section className="card queue" aria-label={t('queue.title')}>
      {error && <ErrorBox inline error={error} onRetry={() => void refetch()} />}
      {data && (
        <>
          <dl>
            <div><dt>{t('queue.length')}</dt><dd>{data.comprimento === null ? '–' : format.number(data.comprimento)}</dd></div>
            <div><dt>{t('queue.oldest')}</dt><dd>{data.mais_antiga_s === null ? '–' : format.seconds(data.mais_antiga_s)}</dd></div>
            <div><dt>{t('queue.inHand')}</dt><dd>{number(data.em_maos)}</dd></div>
            <div><dt>{t('queue.retries')}</dt><dd>{number(data.novas_tentativas)}</dd></div>
            <div><dt><Link href="/entregas?estado=morta">{t('queue.dead')}</Link></dt><dd>{number(data.mortas)}</dd></div>
            <div><dt>{t('queue.workers')}</dt><dd>{number(data.workers)}</dd></div>
          </dl>
          {mayAct && <PauseButton queue={data} />}
          {data.pausada_em && (
            <p className="queue__note" role="status">
              <strong>{t('queue.paused', { quando: format.dateTime(data.pausada_em), quem: data.pausada_por ?? t('queue.somebody') })}</strong> {t('queue.pausedText')}
            </p>
          )}
          {data.workers === 0 && <p className="queue__note" role="status">{t('queue.noWorkers')}</p>}
          {data.proxima_tentativa_em && <p className="small muted">{t('queue.retries')}: <Time at={data.proxima_tentativa_em} exact /></p>}
        </>
      )}
    </section>
  );
}
