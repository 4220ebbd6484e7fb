import { useTranslation } from 'react-i18next';
import { useFormat } from '@/i18n/format';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import type { Reading } from './data';

/** The cache at work: where each reading came from and how long it took. */
export function CachePanel({ readings, busy, onRead }: { readings: Reading[]; busy: boolean; onRead: () => void }) {
  const { t } = useTranslation('posts');
  const format = useFormat();
  const words = { cache: t('cache'), banco_de_dados: t('database') };
  const [last] = readings;
  return (
    <section className="card cache-panel" aria-labelledby="cache-panel">
      <h2 id="cache-panel">{t('cacheTitle')}</h2>
      <p className="muted">{t('cacheText')}</p>
      <div className="cluster">
        <Button kind="primary" icon="refresh" busy={busy} onClick={onRead}>{t('cacheAgain')}</Button>
        <span role="status">
          {last && <Badge tone={last.fonte === 'cache' ? 'accent' : 'info'} icon={last.fonte === 'cache' ? 'cache' : 'database'}>{t(`readFrom.${last.fonte}`, { ms: format.ms(last.ms) })}</Badge>}
        </span>
      </div>
      {readings.length > 0 && (
        <table className="plain-table">
          <caption className="sr-only">{t('cacheReadings')}</caption>
          <thead><tr><th scope="col">{t('when')}</th><th scope="col">{t('from')}</th><th scope="col" className="end">{t('took')}</th></tr></thead>
          <tbody>
            {readings.map((one) => (
              <tr key={one.at}>
                <td className="num">{format.time(one.at)}</td>
                <td><Badge tone={one.fonte === 'cache' ? 'accent' : 'info'} icon={one.fonte === 'cache' ? 'cache' : 'database'}>{words[one.fonte]}</Badge></td>
                <td className="num end">{format.ms(one.ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
