import type { Sample } from '@/api/live';

export const KEPT_MS = 3_600_000;

/** The samples of the last hour with one more; one that is there already is replaced. */
export function withSample(samples: readonly Sample[], sample: Sample): Sample[] {
  const at = Date.parse(sample.em);
  const kept = samples.filter((one) => {
    const other = Date.parse(one.em);
    return other > at - KEPT_MS && other !== at;
  });
  kept.push(sample);
  return kept.sort((a, b) => Date.parse(a.em) - Date.parse(b.em));
}

export type Column = (number | null)[];

/** Columns as uPlot wants them; where nothing was measured for a while, a hole. */
export function columns(samples: readonly Sample[], read: ((sample: Sample) => number | null)[], stepMs: number): [number[], ...Column[]] {
  const times: number[] = [];
  const values: Column[] = read.map(() => []);
  let before = 0;
  for (const sample of samples) {
    const at = Date.parse(sample.em);
    if (before > 0 && at - before > stepMs * 3) {
      times.push((before + stepMs) / 1000);
      values.forEach((column) => column.push(null));
    }
    times.push(at / 1000);
    read.forEach((get, i) => values[i]?.push(get(sample)));
    before = at;
  }
  return [times, ...values];
}
