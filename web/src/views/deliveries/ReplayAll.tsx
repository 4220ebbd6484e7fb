import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import { call } from '@/api/client';
import type { Found, ReplayJob } from '@/api/operators';
import { useFormat } from '@/i18n/format';
import { Button } from '@/ui/Button';
import { Dialog } from '@/ui/Dialog';
import { TextField } from '@/ui/Field';
import { ErrorBox, Loading } from '@/ui/states';
import { active, replayFilter, type DeliveryFilters } from './filters';
import { useFilterWords } from './Filters';

const USUAL_MAX = 10_000;
const HIGHEST_MAX = 100_000;

/** Counts what would go, says it, and only then begins. */
export function ReplayAll({ filters, onClose }: { filters: DeliveryFilters; onClose: () => void }) {
  const { t } = useTranslation(['deliveries', 'common']);
  const format = useFormat();
  const words = useFilterWords();
  const [, go] = useLocation();
  const [filter] = useState(() => replayFilter(filters, Date.now()));
  const [text, setText] = useState(String(USUAL_MAX));
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  const maximo = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  const valid = maximo >= 1 && maximo <= HIGHEST_MAX;
  const count = useQuery({
    queryKey: ['jobs', 'count', filter],
    queryFn: async ({ signal }) => (await call<Found>('POST', '/api/reenvios', { body: { ...filter, simular: true }, signal })).data,
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  const begin = async (): Promise<void> => {
    setBusy(true);
    setFailed(null);
    try {
      const { data } = await call<ReplayJob>('POST', '/api/reenvios', { body: { ...filter, maximo } });
      go(`/reenvios/${data.id}`);
    } catch (error) {
      setFailed(error);
      setBusy(false);
    }
  };
  const found = count.data;
  const bounded = found !== undefined && (found.ou_mais || found.encontradas > maximo);
  const shown = found && { count: found.encontradas, formatted: format.number(found.encontradas) };
  return (
    <Dialog title={t('all.title')} onClose={onClose}>
      {count.error && <ErrorBox inline error={count.error} onRetry={() => void count.refetch()} />}
      {count.isPending && <><p>{t('all.counting')}</p><Loading rows={1} /></>}
      {shown?.count === 0 && <p>{t('all.none')}</p>}
      {found && shown && shown.count > 0 && (
        <>
          <p role="status"><strong>{found.ou_mais ? t('all.foundMore', shown) : t('all.found', shown)}</strong></p>
          <ul className="stack stack--tight">{active(filters).map((name) => <li key={name}>{words(name, filters[name])}</li>)}</ul>
          <p>{t('all.text')}</p>
          <TextField label={t('all.max')} hint={t('all.maxHint')} inputMode="numeric" value={text} error={valid ? null : t('all.maxError')} onChange={(event) => setText(event.target.value)} />
        </>
      )}
      {failed !== null && <ErrorBox inline error={failed} />}
      <div className="dialog__foot">
        <Button onClick={onClose}>{t('common:cancel')}</Button>
        {shown && shown.count > 0 && (
          <Button kind="primary" icon="replay" busy={busy} off={!valid} onClick={() => void begin()}>
            {bounded ? t('all.goMax', { formatted: format.number(maximo) }) : t('all.go', shown)}
          </Button>
        )}
      </div>
    </Dialog>
  );
}
