// Small parts that views of deliveries and events share.
import './deliveries.css';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { ACTS, type DeliveryState, type ReplayJob } from '@/api/operators';
import { useMay } from '@/api/useSession';
import { Badge, type Tone } from '@/ui/Badge';
import { Button } from '@/ui/Button';

const TONES: Record<DeliveryState, Tone> = { pendente: 'info', processada: 'good', morta: 'bad' };
const JOB_TONES: Record<ReplayJob['estado'], Tone> = { em_andamento: 'info', concluido: 'good', cancelado: 'warn', falhou: 'bad' };

export function StateBadge({ state }: { state: DeliveryState }) {
  const { t } = useTranslation('deliveries');
  return <Badge tone={TONES[state]} icon={state === 'pendente' ? 'wait' : undefined}>{t(`state.${state}`)}</Badge>;
}

export function JobBadge({ state }: { state: ReplayJob['estado'] }) {
  const { t } = useTranslation('deliveries');
  return <Badge tone={JOB_TONES[state]} icon={state === 'em_andamento' ? 'wait' : undefined}>{t(`jobs.state.${state}`)}</Badge>;
}

export function Facts({ rows }: { rows: [string, ReactNode][] }) {
  return (
    <dl className="facts small">
      {rows.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([name, value]) => (
        <div className="facts__row" key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}

export function SubNav() {
  const { t } = useTranslation('deliveries');
  const [path] = useLocation();
  const mayAct = useMay(ACTS);
  if (!mayAct) return null; // the list is all that there is
  const rows = [['/entregas', 'list'], ['/reenvios', 'jobs'], ['/teste', 'test']] as const;
  return (
    <nav className="subnav" aria-label={t('sub.label')}>
      {rows.map(([to, key]) => <Link key={to} href={to} aria-current={path === to || path.startsWith(`${to}/`) ? 'page' : undefined}>{t(`sub.${key}`)}</Link>)}
    </nav>
  );
}

/** What came meanwhile, counted: the rows stay where they are until it is pressed. */
export function NewBar({ count, text, onShow }: { count: number; text: string; onShow: () => void }) {
  return (
    <div className="new-bar" role="status">
      {count > 0 && <Button kind="primary" size="small" icon="up" onClick={onShow}>{text}</Button>}
    </div>
  );
}
