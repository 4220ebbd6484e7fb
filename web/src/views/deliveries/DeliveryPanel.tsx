import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { call } from '@/api/client';
import { isApiError } from '@/api/errors';
import { ACTS, type WholeDelivery } from '@/api/operators';
import { useMay } from '@/api/useSession';
import { useFormat } from '@/i18n/format';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { confirm } from '@/ui/confirm';
import { Icon } from '@/ui/icons';
import { JsonTree, PlainText } from '@/ui/json/JsonTree';
import { Empty, ErrorBox, Loading, useErrorWords } from '@/ui/states';
import { Time } from '@/ui/Time';
import { toast } from '@/ui/toast';
import { useDelivery } from './data';
import { Facts, StateBadge } from './parts';

const DOWNLOAD_MS = 60_000;

function save(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_MS);
}

/** Runs what a button does: busy meanwhile, and what went wrong is told. */
function useAct(): [boolean, (act: () => Promise<void>) => void] {
  const words = useErrorWords();
  const [busy, setBusy] = useState(false);
  return [busy, (act) => {
    setBusy(true);
    act().catch((error: unknown) => {
      const { title, detail } = words(error);
      toast(detail ?? title, { tone: 'bad' });
    }).finally(() => setBusy(false));
  }];
}

function Actions({ one }: { one: WholeDelivery }) {
  const { t } = useTranslation('deliveries');
  const client = useQueryClient();
  const [busy, act] = useAct();
  const pending = one.estado === 'pendente';
  const replay = async (): Promise<void> => {
    if (!(await confirm({ title: t('one.replayTitle', { id: one.id }), text: <p>{t('one.replayText')}</p>, action: t('one.replay') }))) return;
    try {
      await call('POST', `/api/entregas/${one.id}/reenviar`);
      toast(t('one.replayed', { id: one.id }));
    } finally {
      void client.invalidateQueries({ queryKey: ['deliveries', 'one', one.id] });
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === 'deliveries' && queryKey.at(-1) === 'head' });
      void client.invalidateQueries({ queryKey: ['queue'] });
    }
  };
  return (
    <div className="cluster">
      <Button kind="primary" icon="replay" busy={busy} off={pending} title={pending ? t('one.already') : undefined} onClick={() => act(replay)}>{t('one.replay')}</Button>
      <Link className="button" href={`/teste?de=${one.id}`}><Icon name="edit" />{t('one.editTest')}</Link>
    </div>
  );
}

function Payload({ one }: { one: WholeDelivery }) {
  const { t } = useTranslation('deliveries');
  const mayAct = useMay(ACTS);
  const [busy, act] = useAct();
  const text = one.corpo ?? one.corpo_base64;
  const download = async (): Promise<void> => {
    const { data } = await call<Blob>('GET', `/api/entregas/${one.id}/corpo`, { read: 'blob', timeoutMs: DOWNLOAD_MS });
    save(data, `entrega-${one.id}.${one.corpo === null ? 'bin' : 'json'}`);
  };
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text ?? '');
    toast(t('one.copied'));
  };
  return (
    <section className="card stack stack--tight" aria-labelledby="conteudo-entrega">
      <div className="cluster spread">
        <h2 id="conteudo-entrega">{t('one.payload')}</h2>
        <div className="cluster">
          {text !== null && <Button size="small" icon="copy" onClick={() => act(copy)}>{t('one.copy')}</Button>}
          {mayAct && <Button size="small" icon="download" busy={busy} onClick={() => act(download)}>{t('one.download')}</Button>}
        </div>
      </div>
      {one.redigido && <p className="small muted">{t('redacted')}</p>}
      {text === null && <p className="muted">{t('one.noPayload')}</p>}
      {one.corpo !== null && <JsonTree text={one.corpo} search={(campo, valor) => `/entregas?${new URLSearchParams({ campo, valor }).toString()}`} />}
      {one.corpo === null && one.corpo_base64 !== null && <><p className="muted small">{t('one.binary')}</p><PlainText text={one.corpo_base64} /></>}
    </section>
  );
}

function Events({ one }: { one: WholeDelivery }) {
  const { t } = useTranslation('deliveries');
  return (
    <section className="card stack stack--tight" aria-labelledby="eventos-entrega">
      <h2 id="eventos-entrega">{t('one.events')}</h2>
      {one.eventos.length === 0 ? <p className="muted">{t('one.noEvents')}</p> : (
        <>
          <ul className="stack stack--tight">
            {one.eventos.map((event) => (
              <li key={event.id} className="cluster">
                <Link href={`/eventos/${event.id}?entrega=${one.id}`}>{[event.objeto, event.campo].filter(Boolean).join(' / ') || event.id}</Link>
                <Badge>{event.estado}</Badge><span className="mono small muted">{event.chave}</span>
              </li>
            ))}
          </ul>
          <p><Link href={`/eventos?entrega=${one.id}`}>{t('one.allEvents')}</Link></p>
        </>
      )}
    </section>
  );
}

function History({ one }: { one: WholeDelivery }) {
  const { t } = useTranslation('deliveries');
  return (
    <section className="card stack stack--tight" aria-labelledby="historico-entrega">
      <h2 id="historico-entrega">{t('one.history')}</h2>
      {one.historico.length === 0 && <p className="muted">{t('one.noHistory')}</p>}
      <ol className="history">
        {one.historico.map((step, i) => (
          <li key={i}>
            <div className="cluster">
              <strong>{t(`one.action.${step.acao}`)}</strong>
              <Badge tone={step.resultado === 'processada' ? 'good' : step.resultado === 'pendente' ? 'info' : 'bad'}>{t(`one.result.${step.resultado}`)}</Badge>
              <span className="small muted"><Time at={step.em} exact />{step.por && ` · ${t('one.by', { quem: step.por })}`}</span>
            </div>
            {step.motivo && <p className="mono small">{step.motivo}</p>}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Whole({ one }: { one: WholeDelivery }) {
  const { t } = useTranslation('deliveries');
  const format = useFormat();
  const mayAct = useMay(ACTS);
  const mono = (text: string | null): React.ReactNode => text && <span className="mono">{text}</span>;
  return (
    <>
      <div className="cluster spread">
        <span role="status"><StateBadge state={one.estado} /></span>
        {mayAct && <Actions one={one} />}
      </div>
      <section className="card" aria-label={t('one.facts')}>
        <Facts rows={[
          [t('one.reason'), mono(one.motivo)],
          [t('one.received'), <Time key="r" at={one.recebida_em} exact />],
          [t('one.processed'), one.processada_em && <Time key="p" at={one.processada_em} exact />],
          [t('one.attempts'), format.number(one.tentativas)],
          [t('one.next'), one.proxima_em && <Time key="n" at={one.proxima_em} exact />],
          [t('one.bytes'), format.bytes(one.bytes)],
          [t('one.via'), one.via],
          [t('one.request'), one.request_id && <Link className="mono" href={`/entregas?pedido=${encodeURIComponent(one.request_id)}`}>{one.request_id}</Link>],
          [t('one.queueId'), mono(one.fila_id)],
          [t('one.agent'), one.agente],
          [t('one.signature'), mono(one.assinatura)],
          [t('one.trace'), mono(one.traceparent)],
        ]} />
      </section>
      <History one={one} />
      <Payload one={one} />
      <Events one={one} />
    </>
  );
}

export function DeliveryPanel({ id, tail }: { id: string; tail: string }) {
  const { t } = useTranslation('deliveries');
  const valid = /^[1-9]\d{0,15}$/.test(id);
  const { data, error, isPending, refetch } = useDelivery(valid ? Number(id) : 0);
  const gone = !valid || isApiError(error, 404);
  return (
    <div className="split__detail">
      <p><Link className="button button--quiet" href={`/entregas${tail}`}><Icon name="back" />{t('one.back')}</Link></p>
      {gone ? <Empty title={t('one.gone')}><p>{t('one.goneText')}</p></Empty> : (
        <>
          {error && <ErrorBox error={error} inline={data !== undefined} onRetry={() => void refetch()} />}
          {isPending && <Loading rows={3} />}
          {data && <Whole one={data} />}
        </>
      )}
    </div>
  );
}
