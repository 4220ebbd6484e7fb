import { flexRender, getCoreRowModel, useReactTable, type ColumnDef, type RowData } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from './Button';
import { ErrorBox } from './states';
import { useFormat } from '@/i18n/format';
import { useMedia } from '@/lib/useMedia';

declare module '@tanstack/react-table' {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the library's own signature
  interface ColumnMeta<TData extends RowData, TValue> {
    /** Of grid-template-columns: '8rem', 'minmax(10rem, 2fr)'. */
    width?: string;
    /** Numbers stand at the end. */
    end?: boolean;
  }
}

const ROW_PX = 44; // --row
const NARROW = '(max-width: 48rem)'; // as ui.css has it: below, each row is a card
const CARD_LINE_PX = 27; // a guess; cards are measured
const NEAR_END = 40; // rows from the end, more is fetched: some screens ahead of whoever scrolls

export interface DataTableProps<T> {
  /** What the table is of, for readers. */
  label: string;
  columns: ColumnDef<T>[]; // keep them outside of the component
  rows: T[];
  rowId: (row: T) => string;
  /** Enter or a click on a row; put a link into the first cell as well, for a new tab. */
  onOpen?: (row: T) => void;
  selectedId?: string | null;
  isNew?: (row: T) => boolean;
  hasMore: boolean;
  fetching: boolean;
  /** Of the last fetch of more rows. */
  error?: unknown;
  onMore: () => void;
}

/**
 * Rows without end, in a frame that scrolls: only those in sight are in the document. Arrow keys, Home, End and
 * page keys walk from row to row; aria-rowindex says where one is. On a phone each row is a card, whose lines have
 * their column's name before them.
 */
export function DataTable<T>({ label, columns, rows, rowId, onOpen, selectedId, isNew, hasMore, fetching, error, onMore }: DataTableProps<T>) {
  const { t } = useTranslation();
  const format = useFormat();
  const frame = useRef<HTMLDivElement>(null);
  const cards = useMedia(NARROW);
  // eslint-disable-next-line react-hooks/incompatible-library -- the compiler is not used here
  const table = useReactTable({ data: rows, columns, getRowId: rowId, getCoreRowModel: getCoreRowModel() });
  const model = table.getRowModel().rows;
  const virtual = useVirtualizer({
    count: model.length,
    getScrollElement: () => frame.current,
    estimateSize: () => (cards ? columns.length * CARD_LINE_PX : ROW_PX),
    overscan: 10,
    getItemKey: (index) => model[index]?.id ?? index,
  });
  useEffect(() => virtual.measure(), [cards, columns.length, virtual]); // what was measured was of the other look
  const shown = virtual.getVirtualItems();
  const headers = table.getFlatHeaders();
  const last = shown.at(-1)?.index ?? -1;
  const widths = table.getVisibleLeafColumns().map((column) => column.columnDef.meta?.width ?? 'minmax(7rem, 1fr)').join(' ');

  useEffect(() => {
    if (hasMore && !fetching && !error && model.length > 0 && last >= model.length - NEAR_END) onMore();
  }, [hasMore, fetching, error, model.length, last, onMore]);

  const focusRow = (index: number): void => {
    const to = Math.max(0, Math.min(index, model.length - 1));
    virtual.scrollToIndex(to);
    requestAnimationFrame(() => frame.current?.querySelector<HTMLElement>(`tr[data-index="${to}"]`)?.focus());
  };
  const onKey = (event: KeyboardEvent<HTMLTableRowElement>, index: number): void => {
    if (event.target !== event.currentTarget) return; // in a cell's own control
    const page = Math.max(1, Math.floor((frame.current?.clientHeight ?? ROW_PX) / (shown[0]?.size ?? ROW_PX)) - 2);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -index, End: model.length };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      focusRow(index + step);
    } else if (event.key === 'Enter') {
      const row = model[index];
      if (row) onOpen?.(row.original);
    }
  };

  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls: whoever has no mouse needs a way in */}
      <div className="table-frame" ref={frame} role="group" aria-label={label} tabIndex={0}>
        <table className="table" aria-label={label} aria-rowcount={hasMore ? -1 : model.length + 1} aria-busy={fetching}
          ref={(element) => element?.style.setProperty('--columns', widths)}>
          <thead>
            {table.getHeaderGroups().map((group) => (
              <tr key={group.id} aria-rowindex={1}>
                {group.headers.map((header) => (
                  <th key={header.id} scope="col" className={header.column.columnDef.meta?.end ? 'end' : undefined}>
                    {flexRender(header.column.columnDef.header, header.getContext())}
                  </th>
                ))}
              </tr>
            ))}
          </thead>
          <tbody style={{ height: virtual.getTotalSize() }}>
            {shown.map(({ index, start, key }) => {
              const row = model[index];
              if (!row) return null;
              return (
                <tr key={key} ref={cards ? virtual.measureElement : undefined} data-index={index} aria-rowindex={index + 2} tabIndex={onOpen ? 0 : undefined}
                  aria-selected={selectedId === undefined ? undefined : row.id === selectedId}
                  className={isNew?.(row.original) ? 'is-new' : undefined} style={{ transform: `translateY(${start}px)` }}
                  onKeyDown={(event) => onKey(event, index)}
                  onClick={(event) => {
                    if (!(event.target as Element).closest('a, button, input, label') && getSelection()?.isCollapsed !== false) onOpen?.(row.original);
                  }}>
                  {row.getVisibleCells().map((cell, column) => (
                    <td key={cell.id} className={cell.column.columnDef.meta?.end ? 'end' : undefined}>
                      {cards && headers[column] && <span className="table__label" aria-hidden="true">{flexRender(cell.column.columnDef.header, headers[column].getContext())}</span>}
                      <span className="table__value">{flexRender(cell.column.columnDef.cell, cell.getContext())}</span>
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {error !== null && error !== undefined && <ErrorBox inline error={error} onRetry={onMore} />}
      <p className="table-foot">
        <span>{t('rows', { count: model.length, formatted: format.number(model.length) })}{hasMore ? ' …' : ''}</span>
        {hasMore ? <Button kind="quiet" size="small" busy={fetching} onClick={onMore}>{t('loadMore')}</Button> : <span>{t('end')}</span>}
      </p>
    </>
  );
}
