import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError, ApiError } from '@/api/errors';
import { useFormat } from '@/i18n/format';
import { saveBlob } from '@/lib/save';
import { Button } from '@/ui/Button';
import { ErrorBox } from '@/ui/states';
import { toast } from '@/ui/toast';
import { download, share, type Progress } from './csv';
import type { LeadFilters } from './data';

/** Everything that the filters match, as CSV. */
export function useExport(filters: LeadFilters) {
  const { t } = useTranslation('leads');
  const format = useFormat();
  const [progress, setProgress] = useState<Progress | null>(null);
  const [error, setError] = useState<unknown>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (): Promise<void> => {
    if (running.current) return;
    const own = new AbortController();
    running.current = own;
    setError(null);
    setProgress({ bytes: 0, rows: 0, total: null });
    try {
      const { blob, name, rows } = await download(filters, own.signal, setProgress);
      saveBlob(blob, name);
      toast(t('csv.done', { count: rows, formatted: format.number(rows) }));
    } catch (cause) {
      if (cause instanceof ApiError && cause.kind === 'aborted') toast(t('csv.cancelled'), { tone: 'info' });
      else setError(cause);
    } finally {
      running.current = null;
      setProgress(null);
    }
  };
  return { progress, error, start, cancel: () => running.current?.abort(), dismiss: () => setError(null) };
}

export function ExportProgress({ progress, error, start, cancel }: ReturnType<typeof useExport>) {
  const { t } = useTranslation(['leads', 'common']);
  const format = useFormat();
  if (error !== null) return <ErrorBox inline error={error} onRetry={isApiError(error, 403) ? undefined : () => void start()} />;
  if (!progress) return null;
  const done = share(progress);
  return (
    <div className="export card">
      <label className="grow">
        <span>{t('csv.running', { rows: format.number(progress.rows), bytes: format.bytes(progress.bytes) })}
          {progress.total !== null && ` · ${t('csv.of', { total: format.number(progress.total) })}`}</span>
        <progress value={done ?? undefined} max={1} />
      </label>
      <Button size="small" onClick={cancel}>{t('common:cancel')}</Button>
    </div>
  );
}
