import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Sample } from '@/api/live';
import { useFormat, type Format } from '@/i18n/format';
import { Chart, type Line } from './Chart';
import { columns } from './samples';

type Get = (sample: Sample) => number | null;

interface Kind {
  key: 'requests' | 'latency' | 'length' | 'age';
  lines: { key: 'requests' | 'errors' | 'p50' | 'p99' | 'length' | 'inHand' | 'age'; colour: Line['colour']; get: Get }[];
  write: (format: Format, value: number) => string;
}

const perSecond = (format: Format, value: number): string => format.number(value, { maximumFractionDigits: 1 });
const whole = (format: Format, value: number): string => format.number(value, { maximumFractionDigits: 0 });

const KINDS: Kind[] = [
  { key: 'requests', write: perSecond, lines: [
    { key: 'requests', colour: 1, get: (s) => s.requisicoes_s }, { key: 'errors', colour: 3, get: (s) => s.erros_s }] },
  { key: 'latency', write: (format, value) => format.ms(value), lines: [
    { key: 'p50', colour: 1, get: (s) => s.p50_ms }, { key: 'p99', colour: 2, get: (s) => s.p99_ms }] },
  { key: 'length', write: whole, lines: [
    { key: 'length', colour: 1, get: (s) => s.fila?.comprimento ?? null }, { key: 'inHand', colour: 2, get: (s) => s.fila?.em_maos ?? null }] },
  { key: 'age', write: (format, value) => format.seconds(value), lines: [
    { key: 'age', colour: 1, get: (s) => (s.fila ? (s.fila.mais_antiga_s ?? 0) : null) }] },
];

function One({ kind, samples, stepMs, point, onPoint }: { kind: Kind; samples: Sample[]; stepMs: number; point: number | null; onPoint: (index: number | null) => void }) {
  const { t } = useTranslation('now');
  const format = useFormat();
  const data = useMemo(() => columns(samples, kind.lines.map((line) => line.get), stepMs), [samples, kind, stepMs]);
  const lines = useMemo(() => kind.lines.map(({ key, colour }): Line => ({ label: t(`series.${key}`), colour })), [kind, t]);
  const at = point !== null && point < data[0].length ? point : data[0].length - 1;
  const said = (value: number | null | undefined): string => (value === null || value === undefined ? '–' : kind.write(format, value));
  const summary = kind.lines.map(({ key }, i) => {
    const values = (data[i + 1] ?? []).filter((value): value is number => value !== null);
    return `${t(`series.${key}`)}: ${t('now')} ${said(values.at(-1))}, ${t('highest')} ${said(values.length > 0 ? Math.max(...values) : null)}`;
  });
  return (
    <div className="chart">
      <h3>{t(kind.key)}</h3>
      <p className="chart__legend">
        {kind.lines.map(({ key, colour }, i) => (
          <span key={key}>
            <span className={`chart__line chart__line--${colour}`} aria-hidden="true" />
            {t(`series.${key}`)} <strong>{said(data[i + 1]?.[at])}</strong>
          </span>
        ))}
        <span className="muted num">{point !== null && data[0][at] !== undefined ? format.time(data[0][at] * 1000) : t('now')}</span>
      </p>
      <Chart description={`${t(kind.key)}. ${summary.join('; ')}`} data={data} lines={lines} sync="alicerce" onPoint={onPoint}
        value={(value) => kind.write(format, value)} time={(seconds) => format.time(seconds * 1000).replace(/:\d\d(?=\D*$)/, '')} />
    </div>
  );
}

const TABLE_ROWS = 60;

/** What the pictures say, for those who read; newest first, one in so many when there are more than a table's worth. */
function Table({ samples }: { samples: Sample[] }) {
  const { t } = useTranslation('now');
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const step = Math.max(1, Math.ceil(samples.length / TABLE_ROWS));
  const rows = [...samples].reverse().filter((_, i) => i % step === 0);
  const lines = KINDS.flatMap((kind) => kind.lines.map((line) => ({ ...line, write: kind.write })));
  return (
    <details className="charts-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t('asTable')}</summary>
      {open && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls, and must so from the keyboard
        <div className="charts-table__scroll" tabIndex={0} role="region" aria-label={t('charts')}>
          <table>
            <thead><tr><th scope="col">{t('tableWhen')}</th>{lines.map(({ key }) => <th scope="col" key={key}>{t(`series.${key}`)}</th>)}</tr></thead>
            <tbody>
              {rows.map((sample) => (
                <tr key={sample.em}>
                  <td>{format.time(sample.em)}</td>
                  {lines.map(({ key, get, write }) => {
                    const value = get(sample);
                    return <td key={key}>{value === null ? '–' : write(format, value)}</td>;
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

export default function Charts({ samples, stepMs }: { samples: Sample[]; stepMs: number }) {
  const [point, setPoint] = useState<number | null>(null);
  return (
    <>
      <div className="charts">
        {KINDS.map((kind) => <One key={kind.key} {...{ kind, samples, stepMs, point }} onPoint={setPoint} />)}
      </div>
      <Table samples={samples} />
    </>
  );
}
