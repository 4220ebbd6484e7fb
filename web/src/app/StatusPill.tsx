import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useStatus } from '@/api/status';
import { useOnline } from '@/lib/online';
import { Icon, type IconName } from '@/ui/icons';

/** The state of the whole, in sight from everywhere; leads to where it is told in full. */
export function StatusPill() {
  const { t } = useTranslation();
  const online = useOnline();
  const { data, error } = useStatus();
  const [key, tone, icon]: ['checking' | 'ok' | 'degraded' | 'unreachable' | 'offline', string, IconName] =
    !online ? ['offline', 'warn', 'offline']
    : error ? ['unreachable', 'bad', 'cross']
    : !data ? ['checking', 'plain', 'wait']
    : data.status === 'ok' ? ['ok', 'good', 'check'] : ['degraded', 'bad', 'alert'];
  return (
    <Link className={`badge badge--${tone} status-pill`} href="/agora" title={t('state.details')}>
      <Icon name={icon} size={14} />
      <span className="status-pill__text">{t(`state.${key}`)}</span>
    </Link>
  );
}
