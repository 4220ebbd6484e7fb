import { useTranslation } from 'react-i18next';
import type { LiveState } from '@/api/live';

/** Does what is shown come by itself, and how? */
export function LiveMark({ state }: { state: LiveState }) {
  const { t } = useTranslation();
  return <span className={`live live--${state}`}>{t(`live.${state}`)}</span>;
}
