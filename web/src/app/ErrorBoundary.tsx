import { Component, useEffect, type ReactNode } from 'react';
import i18next from 'i18next';
import { Button } from '@/ui/Button';
import { ErrorBox, Notice, Offline } from '@/ui/states';

/** A chunk of an older build is gone after a deploy: what helps is loading the page anew. */
function isOutdated(error: unknown): boolean {
  return error instanceof Error && /dynamically imported module|Importing a module script|preload/i.test(error.message);
}

/** What was not fetched in time for a view to be shown without a network: a failed import stays failed, so all is loaded again. */
function UntilOnline() {
  useEffect(() => {
    const reload = (): void => location.reload();
    window.addEventListener('online', reload);
    return () => window.removeEventListener('online', reload);
  }, []);
  return <Offline level={1} />;
}

export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === null) return this.props.children;
    const reload = <Button kind="primary" onClick={() => location.reload()}>{i18next.t('error.reload')}</Button>;
    if (isOutdated(error) && !navigator.onLine) return <UntilOnline />;
    if (isOutdated(error)) {
      return <Notice icon="refresh" level={1} title={i18next.t('error.outdated')} role="alert"><p>{i18next.t('error.outdatedText')}</p>{reload}</Notice>;
    }
    return <ErrorBox error={error} level={1} onRetry={() => this.setState({ error: null })} />;
  }
}
