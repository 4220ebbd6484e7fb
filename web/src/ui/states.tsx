// What a view shows when it has nothing, nothing yet, or trouble.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '@/api/errors';
import { useOnline } from '@/lib/online';
import { Button } from './Button';
import { Icon, type IconName } from './icons';

export function Notice({ icon, title, children, inline = false, level = 2, role }: {
  icon: IconName;
  title: ReactNode;
  children?: ReactNode;
  inline?: boolean;
  level?: 1 | 2;
  /** Said aloud when it appears. */
  role?: 'alert' | 'status';
}) {
  const Heading = level === 1 ? 'h1' : 'h2';
  return (
    <div className={inline ? 'notice notice--inline' : 'notice'} role={role}>
      <Icon name={icon} />
      <Heading tabIndex={level === 1 ? -1 : undefined}>{title}</Heading>
      {children}
    </div>
  );
}

/** Without a network nothing is on its way: it says so, and that what was asked for comes when the network is back. */
export function Offline({ small = false, level }: { small?: boolean; level?: 1 | 2 }) {
  const { t } = useTranslation();
  if (small) return <p className="muted" role="status">{t('error.offline')}</p>;
  return <Notice icon="offline" title={t('error.offline')} level={level} role="status"><p className="notice__text">{t('error.offlineWaits')}</p></Notice>;
}

export function Loading({ rows = 4 }: { rows?: number }) {
  const { t } = useTranslation();
  const online = useOnline();
  if (!online) return <Offline small={rows === 1} />;
  return (
    <div className="skeleton" role="status">
      <span className="sr-only">{t('loading')}</span>
      {Array.from({ length: rows }, (_, i) => <span key={i} aria-hidden="true" />)}
    </div>
  );
}

/** `level` 1 where it is all that the page has to say. */
export function Empty({ icon = 'empty', title, level, children }: { icon?: IconName; title: ReactNode; level?: 1 | 2; children?: ReactNode }) {
  return <Notice icon={icon} title={title} level={level}>{children}</Notice>;
}

export interface ErrorWords {
  title: string;
  /** In the page's language; null when the API's own words say it better. */
  text: string | null;
  /** What the API said, in Portuguese. */
  detail: string | null;
}

/** An error in words, for whoever has to show one. */
export function useErrorWords(): (error: unknown) => ErrorWords {
  const { t } = useTranslation();
  return (error) => {
    if (!(error instanceof ApiError)) return { title: t('error.unexpected'), text: t('error.unexpectedText'), detail: null };
    if (error.kind !== 'http') {
      const kind = error.kind === 'aborted' ? 'network' : error.kind;
      return { title: t(`error.${kind}`), text: t(`error.${kind}Text`), detail: null };
    }
    const known = ['400', '401', '403', '404', '409', '412', '413', '422', '429'] as const;
    const key = known.find((one) => one === String(error.status)) ?? (error.status >= 500 ? '5xx' : 'other');
    const wait = error.retryAfter ? t('error.retryAfter', { count: error.retryAfter }) : null;
    return { title: t(`error.status.${key}`), text: wait, detail: error.detail ?? error.title };
  };
}

/** Trouble in place of the content, or (inline) above what had been read before. */
export function ErrorBox({ error, onRetry, inline = false, level }: { error: unknown; onRetry?: () => void; inline?: boolean; level?: 1 | 2 }) {
  const { t } = useTranslation();
  const words = useErrorWords()(error);
  const id = error instanceof ApiError ? error.requestId : null;
  const offline = error instanceof ApiError && error.kind === 'offline';
  return (
    <Notice icon={offline ? 'offline' : 'alert'} title={words.title} inline={inline} level={level} role="alert">
      {words.detail && <p className="notice__text" lang="pt-BR">{words.detail}</p>}
      {words.text && <p className="notice__text">{words.text}</p>}
      {id && <p className="small mono">{t('error.requestId', { id })}</p>}
      {onRetry && <Button icon="refresh" size={inline ? 'small' : 'normal'} onClick={onRetry}>{t('error.retry')}</Button>}
    </Notice>
  );
}
