import { useEffect, useSyncExternalStore, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { Icon } from './icons';
import { store } from '@/lib/store';

interface Toast {
  id: number;
  tone: 'good' | 'bad' | 'info';
  text: ReactNode;
  action?: { label: string; run: () => void };
}

const SHOWN_MAX = 4;
const SHOWN_MS = 7000;
const toasts = store<Toast[]>([]);
let next = 1;

function drop(id: number): void {
  toasts.set(toasts.get().filter((one) => one.id !== id));
}

/** A word about what was just done. What went wrong stays until it is dismissed. */
export function toast(text: ReactNode, more: Partial<Pick<Toast, 'tone' | 'action'>> = {}): void {
  toasts.set([...toasts.get().slice(1 - SHOWN_MAX), { id: next++, tone: 'good', text, ...more }]);
}

function One({ one }: { one: Toast }) {
  const { t } = useTranslation();
  const { id, tone, text, action } = one;
  useEffect(() => {
    if (tone === 'bad') return undefined;
    const timer = setTimeout(() => drop(id), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [id, tone]);
  return (
    <div className="toast">
      <Icon name={tone === 'bad' ? 'alert' : 'check'} />
      <span>{text}</span>
      {action && (
        <Button kind="quiet" size="small" onClick={() => {
          drop(id);
          action.run();
        }}>{action.label}</Button>
      )}
      <Button kind="quiet" size="small" icon="close" aria-label={t('dismiss')} onClick={() => drop(id)} />
    </div>
  );
}

/** Once in the page; readers hear each as it comes. */
export function ToastHost() {
  const all = useSyncExternalStore(toasts.subscribe, toasts.get);
  return (
    <div className="toasts" role="status" aria-live="polite">
      {all.map((one) => <One key={one.id} one={one} />)}
    </div>
  );
}
