import './deliveries.css';
import { useEffect, useState, type ReactNode, type SubmitEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { call } from '@/api/client';
import { isApiError } from '@/api/errors';
import type { TestSent } from '@/api/operators';
import { useDraft } from '@/lib/draft';
import { useHeading, useTitle } from '@/lib/page';
import { useUrlState } from '@/lib/urlState';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { TextArea } from '@/ui/Field';
import { jsonTrouble } from '@/ui/json/parse';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { useByRequest, useDelivery, useQueue } from './data';
import { SubNav } from './parts';

const ADDRESS = { de: '', pedido: '' };
const EMPTY = { corpo: '' };
const SLOW_MS = 20_000;
const EXAMPLE = JSON.stringify({
  object: 'page',
  entry: [{ id: '100000000000001', time: 1_764_000_000, changes: [{ field: 'leadgen', value: { leadgen_id: '900000000000001', page_id: '100000000000001', form_id: '200000000000001', created_time: 1_764_000_000 } }] }],
}, null, 2);

function Follow({ requestId }: { requestId: string }) {
  const { t } = useTranslation('deliveries');
  const { data: one, error, refetch } = useByRequest(requestId);
  const queue = useQueue();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), SLOW_MS);
    return () => clearTimeout(timer);
  }, []);
  const done = one && one.estado !== 'pendente';
  return (
    <section className="card stack" aria-labelledby="seguir-teste">
      <h2 id="seguir-teste">{t('test.follow')}</h2>
      {error && <ErrorBox inline error={error} onRetry={() => void refetch()} />}
      <div role="status">
        <ol className="steps">
          <li><Badge tone="good">{t('test.accepted')}</Badge><span className="small mono muted">{t('test.acceptedText', { id: requestId })}</span></li>
          <li>
            {!done && <Badge tone="info" icon="wait">{t(one ? 'test.processing' : 'test.queued')}</Badge>}
            {one?.estado === 'processada' && <Badge tone="good">{t('test.processed')}</Badge>}
            {one?.estado === 'morta' && <Badge tone="bad">{t('test.dead', { motivo: one.motivo ?? '' })}</Badge>}
            {one && <Link href={`/entregas/${one.id}`}>{t('test.open', { id: one.id })}</Link>}
          </li>
        </ol>
      </div>
      {!done && queue.data?.pausada_em && <p className="queue__note">{t('test.pausedNow')}</p>}
      {!done && slow && !queue.data?.pausada_em && <p className="muted">{t('test.slow')}</p>}
    </section>
  );
}

function Editor({ name, start, title, onSent }: { name: string; start: string; title: ReactNode; onSent: (requestId: string) => void }) {
  const { t } = useTranslation('deliveries');
  const [{ corpo }, change, forget] = useDraft(`teste.${name}`, EMPTY);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const text = corpo === '' ? start : corpo;
  const trouble = text.trim() === '' ? null : jsonTrouble(text);
  const notObject = !trouble && !text.trim().startsWith('{');
  const wrong = trouble ? t('test.bad', { linha: trouble.line, coluna: trouble.column }) : text.trim() !== '' && notObject ? t('test.notObject') : null;
  const submit = async (event: SubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy || wrong !== null || notObject) return;
    setBusy(true);
    setError(null);
    try {
      // The text as it was written: taking it apart would change long numbers.
      const { data } = await call<TestSent>('POST', '/api/entregas/teste', { body: `{"corpo":${text}}`, headers: { 'Content-Type': 'application/json' } });
      onSent(data.request_id);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form className="card stack editor" onSubmit={(event) => void submit(event)}>
      <h2>{title}</h2>
      <TextArea label={t('test.body')} hint={t('test.bodyHint')} value={text} error={wrong} spellCheck={false} onChange={(event) => change({ corpo: event.target.value })} />
      {error !== null && <ErrorBox inline error={error} />}
      <div className="cluster">
        <Button type="submit" kind="primary" busy={busy} off={wrong !== null || notObject}>{t(busy ? 'test.sending' : 'test.send')}</Button>
        <Button onClick={forget}>{t('test.reset')}</Button>
      </div>
    </form>
  );
}

function pretty(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    // Only where nothing is lost by it: not a digit of a long number, not a member of the same name.
    return JSON.stringify(value) === text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1') ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}

function From({ id, onSent }: { id: number; onSent: (requestId: string) => void }) {
  const { t } = useTranslation('deliveries');
  const { data, error, isPending, refetch } = useDelivery(id);
  if (isPending) return <Loading rows={2} />;
  if (isApiError(error, 404)) return <Empty title={t('one.gone')}><p>{t('one.goneText')}</p></Empty>;
  if (!data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (data.corpo === null) return <p className="muted">{t('test.loadFailed', { id })}</p>;
  return <Editor name={String(id)} start={pretty(data.corpo)} title={t('test.from', { id })} onSent={onSent} />;
}

export default function TestView() {
  const { t } = useTranslation('deliveries');
  const [{ de, pedido }, set] = useUrlState(ADDRESS);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  useTitle(t('test.title'));
  useHeading();
  const onSent = (requestId: string): void => set({ pedido: requestId });
  const quick = async (): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      onSent((await call<TestSent>('POST', '/api/entregas/teste', { body: {} })).data.request_id);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="measure">
      <div className="page-head"><h1 tabIndex={-1}>{t('test.title')}</h1></div>
      <SubNav />
      <div className="stack">
        <p>{t('test.lead')}</p>
        <div className="cluster">
          <Button kind="primary" busy={busy} onClick={() => void quick()}>{t('test.quick')}</Button>
          <span className="muted">{t('test.quickText')}</span>
        </div>
        {error !== null && <ErrorBox inline error={error} />}
        {pedido !== '' && <Follow key={pedido} requestId={pedido} />}
        {/^[1-9]\d{0,15}$/.test(de) ? <From id={Number(de)} onSent={onSent} /> : <Editor name="novo" start={EXAMPLE} title={t('test.own')} onSent={onSent} />}
      </div>
    </div>
  );
}
