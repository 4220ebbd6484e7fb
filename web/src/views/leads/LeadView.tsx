import './leads.css';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'wouter';
import { isApiError } from '@/api/errors';
import { useFormat } from '@/i18n/format';
import { useHeading, useTitle } from '@/lib/page';
import { Badge } from '@/ui/Badge';
import { Icon } from '@/ui/icons';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { Time } from '@/ui/Time';
import { useLead, type WholeLead } from './data';
import { LeadState } from './LeadState';

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <><dt>{name}</dt><dd>{children ?? '—'}</dd></>;
}

function Person({ lead }: { lead: WholeLead }) {
  const { t } = useTranslation('leads');
  return (
    <section className="card">
      <h2>{t('answers')}</h2>
      {lead.campos === null ? <p className="muted">{t('noAnswers')}</p> : (
        <dl className="facts">
          {lead.campos.map(({ name, values }, at) => <Fact key={at} name={name}>{Array.isArray(values) ? values.join(', ') || '—' : '—'}</Fact>)}
        </dl>
      )}
    </section>
  );
}

function Origin({ lead }: { lead: WholeLead }) {
  const { t } = useTranslation('leads');
  const format = useFormat();
  const at = (time: string | null): ReactNode => time && <Time at={time} exact />;
  return (
    <section className="card">
      <h2>{t('origin')}</h2>
      <dl className="facts">
        <Fact name={t('form')}>{lead.formulario_id && <Link href={`/leads?formulario=${encodeURIComponent(lead.formulario_id)}`}>{lead.formulario_id}</Link>}</Fact>
        <Fact name={t('page')}>{lead.pagina_id && <Link href={`/leads?pagina=${encodeURIComponent(lead.pagina_id)}`}>{lead.pagina_id}</Link>}</Fact>
        <Fact name={t('ad')}>{lead.anuncio_id}</Fact>
        <Fact name={t('adset')}>{lead.conjunto_id}</Fact>
        <Fact name={t('created')}>{at(lead.criado_em)}</Fact>
        <Fact name={t('received')}>{at(lead.recebido_em)}</Fact>
        <Fact name={t('asked')}>{at(lead.consultado_em)}</Fact>
        <Fact name={t('attempts')}>{format.number(lead.tentativas)}</Fact>
        {lead.proxima_em && <Fact name={t('next')}>{at(lead.proxima_em)}</Fact>}
        {lead.ultimo_erro && <Fact name={t('lastError')}><span lang="pt-BR">{lead.ultimo_erro}</span></Fact>}
      </dl>
    </section>
  );
}

function Whole({ lead }: { lead: WholeLead }) {
  const { t } = useTranslation('leads');
  return (
    <article className="lead-sheet" aria-labelledby="lead">
      <p className="cluster"><LeadState lead={lead} /><span className="muted mono">{lead.leadgen_id}</span></p>
      {lead.redigido && <p className="leads-note"><Icon name="lock" size={15} />{t('redacted')}</p>}
      {lead.entrega_id !== null && <p><Link className="button" href={`/entregas/${lead.entrega_id}`}><Icon name="deliveries" />{t('delivery')}</Link></p>}
      <Person lead={lead} />
      <Origin lead={lead} />
      <section className="card">
        <h2>{t('events')}</h2>
        {lead.eventos.length === 0 ? <p className="muted">{t('noEvents')}</p> : (
          <ul className="lead-events">
            {lead.eventos.map((event) => (
              <li key={event.id}>
                <Link href={`/eventos/${event.id}`}>{[event.objeto, event.campo].filter(Boolean).join(' · ') || event.chave}</Link>
                {event.estado && <Badge>{event.estado}</Badge>}
                <Time at={event.ocorrido_em ?? event.criado_em} exact />
                {event.entrega_id !== null && <Link href={`/entregas/${event.entrega_id}`}>{t('ofDelivery', { id: event.entrega_id })}</Link>}
              </li>
            ))}
          </ul>
        )}
      </section>
    </article>
  );
}

function Gone() {
  const { t } = useTranslation('leads');
  useTitle(t('goneTitle'));
  useHeading();
  return <Empty level={1} title={t('goneTitle')}><p>{t('goneText')}</p></Empty>;
}

/** There from the first moment: who it is comes with the answer. */
function Named({ id, query: { data, error, isPending, refetch } }: { id: string; query: ReturnType<typeof useLead> }) {
  const { t } = useTranslation('leads');
  const heading = data && data.nome !== null && data.redigido !== true ? data.nome : t('one', { id });
  useTitle(heading);
  useHeading();
  return (
    <>
      <h1 id="lead" tabIndex={-1}>{heading}</h1>
      {error && <ErrorBox error={error} inline={data !== undefined} onRetry={() => void refetch()} />}
      {isPending && <Loading rows={3} />}
      {data && <Whole lead={data} />}
    </>
  );
}

export default function LeadView() {
  const { t } = useTranslation('leads');
  const { id } = useParams<{ id: string }>();
  const valid = /^\d{1,32}$/.test(id);
  const query = useLead(id);
  const gone = !valid || isApiError(query.error, 404);
  return (
    <div className="stack">
      <p><Link className="button button--quiet" href="/leads"><Icon name="back" />{t('toList')}</Link></p>
      {gone ? <Gone /> : <Named key={id} id={id} query={query} />}
    </div>
  );
}
