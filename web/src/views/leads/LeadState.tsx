import { useTranslation } from 'react-i18next';
import { Badge, type Tone } from '@/ui/Badge';
import type { Lead, LeadState as State } from './data';

const TONES: Record<State, Tone> = { pendente: 'warn', completo: 'good', falhou: 'bad', teste: 'info' };

/** Its state, and that it is no real one. */
export function LeadState({ lead }: { lead: Lead }) {
  const { t } = useTranslation('leads');
  return (
    <span className="cluster">
      {lead.estado !== 'teste' && <Badge tone={TONES[lead.estado]} icon={lead.estado === 'pendente' ? 'wait' : undefined}>{t(`state.${lead.estado}`)}</Badge>}
      {(lead.teste || lead.estado === 'teste') && <Badge tone="info">{t('state.teste')}</Badge>}
    </span>
  );
}
