import { useWindowVirtualizer, type VirtualItem } from '@tanstack/react-virtual';
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { ErrorBox } from './states';

interface Kept {
  offset: number;
  measured: VirtualItem[];
}
/** Where each list was left, so that going back leads there. */
const kept = new Map<string, Kept>();

export function wasLeft(name: string): boolean {
  return (kept.get(name)?.offset ?? 0) > 0;
}

/**
 * A long list of things of any height that scrolls with the page; only what is in sight is in the document.
 * More is fetched near the end.
 */
export function WindowList<T extends { id: number | string }>({ name, label, items, estimate, render, hasMore, fetching, error, onMore }: {
  /** Names the list and its filters, for coming back to it. */
  name: string;
  label: string;
  items: T[];
  /** Pixels of an item that was not measured yet. */
  estimate: number;
  render: (item: T, index: number) => ReactNode;
  hasMore: boolean;
  fetching: boolean;
  error: unknown;
  onMore: () => void;
}) {
  const { t } = useTranslation();
  const ref = useRef<HTMLDivElement>(null);
  const [margin, setMargin] = useState(0);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- what stands above may change with any drawing
  useLayoutEffect(() => {
    const top = ref.current ? ref.current.getBoundingClientRect().top + window.scrollY : 0;
    setMargin((before) => (Math.abs(before - top) < 1 ? before : top));
  });
  const before = kept.get(name);
  const virtual = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => estimate,
    overscan: 6,
    scrollMargin: margin,
    getItemKey: (index) => items[index]?.id ?? index,
    initialOffset: before?.offset ?? 0,
    initialMeasurementsCache: before?.measured ?? [],
  });
  const rows = virtual.getVirtualItems();
  const last = rows.at(-1)?.index ?? -1;

  useEffect(() => {
    if (hasMore && !fetching && !error && items.length > 0 && last >= items.length - 8) onMore();
  }, [hasMore, fetching, error, items.length, last, onMore]);

  useEffect(() => {
    const offset = kept.get(name)?.offset;
    if (offset) window.scrollTo(0, offset);
    const keep = (): void => {
      kept.set(name, { offset: window.scrollY, measured: virtual.measurementsCache });
    };
    window.addEventListener('scroll', keep, { passive: true });
    return () => window.removeEventListener('scroll', keep);
  }, [name, virtual]);

  return (
    <>
      <div ref={ref} className="window-list" role="feed" aria-label={label} aria-busy={fetching}
        style={{ height: virtual.getTotalSize() }}>
        {rows.map((row) => {
          const item = items[row.index];
          return item && (
            <div key={row.key} data-index={row.index} ref={virtual.measureElement} className="window-list__item"
              style={{ transform: `translateY(${row.start - margin}px)` }}>
              {render(item, row.index)}
            </div>
          );
        })}
      </div>
      {error !== null && error !== undefined && <ErrorBox inline error={error} onRetry={onMore} />}
      <p className="window-list__end muted small">
        {hasMore ? <Button kind="quiet" size="small" busy={fetching} onClick={onMore}>{t('loadMore')}</Button> : t('end')}
      </p>
    </>
  );
}
