import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'accent' | 'plain';

const ICONS: Partial<Record<Tone, IconName>> = { good: 'check', warn: 'alert', bad: 'cross' };

/** A word of state: colour, sign and word say the same, so that none is needed alone. */
export function Badge({ tone = 'plain', icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  const sign = icon ?? ICONS[tone];
  return (
    <span className={`badge badge--${tone}`}>
      {sign && <Icon name={sign} size={14} />}
      {children}
    </span>
  );
}
