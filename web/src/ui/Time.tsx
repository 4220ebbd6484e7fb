import { useEffect, useState } from 'react';
import { useFormat } from '@/i18n/format';

/** One clock for all relative times of the page. */
const TICK_MS = 15_000;
const ticking = new Set<(now: number) => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    ticking.add(setNow);
    timer ??= setInterval(() => {
      for (const tick of ticking) tick(Date.now());
    }, TICK_MS);
    return () => {
      ticking.delete(setNow);
      if (ticking.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
    };
  }, []);
  return now;
}

/** `há 3 min`, with the exact time on pointing at it; `exact` the other way round. */
export function Time({ at, exact = false }: { at: string; exact?: boolean }) {
  const format = useFormat();
  const now = useNow();
  const whole = format.dateTime(at);
  const near = format.relative(at, Math.max(now, new Date(at).getTime()));
  return <time dateTime={at} title={exact ? near : whole}>{exact ? whole : near}</time>;
}
