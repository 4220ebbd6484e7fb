// A list, newest first by id, kept true without jumping: what is new waits in front until it is asked for.
import type { InfiniteData } from '@tanstack/react-query';

export interface Row {
  id: number;
}
export interface Page<T extends Row> {
  rows: T[];
  proximo: string | null;
}
export type Pages<T extends Row, P extends Page<T> = Page<T>> = InfiniteData<P, string>;

export function allRows<T extends Row>(data: Pages<T> | undefined): T[] {
  return data?.pages.flatMap((page) => page.rows) ?? [];
}

export function newRows<T extends Row>(data: Pages<T>, head: Page<T>): T[] {
  const newest = allRows(data)[0]?.id ?? 0;
  return head.rows.filter((row) => row.id > newest);
}

/**
 * A page read anew in the place where it was: rows take what they are now, those that match no more go. Nothing is
 * added: what is new in front waits.
 */
export function withPageAgain<T extends Row, P extends Page<T>>(data: Pages<T, P>, index: number, again: P): Pages<T, P> {
  const page = data.pages[index];
  if (!page) return data;
  const fresh = new Map(again.rows.map((row) => [row.id, row]));
  const oldest = again.proximo === null ? 0 : (again.rows.at(-1)?.id ?? 0);
  const rows = page.rows.filter((row) => row.id < oldest || fresh.has(row.id)).map((row) => fresh.get(row.id) ?? row);
  return { ...data, pages: data.pages.map((one, i) => (i === index ? { ...page, rows } : one)) };
}

/** The list with a new first page in front. Where rows may be missing between the two, it begins anew. */
export function withHead<T extends Row, P extends Page<T>>(data: Pages<T, P>, head: P): Pages<T, P> {
  const known = new Set(allRows(data).map((row) => row.id));
  if (known.size > 0 && head.proximo !== null && !head.rows.some((row) => known.has(row.id))) {
    return { pages: [head], pageParams: data.pageParams.slice(0, 1) };
  }
  const same = withPageAgain(data, 0, head);
  const first = same.pages[0];
  if (!first) return data;
  const rows = [...head.rows.filter((row) => !known.has(row.id)), ...first.rows].sort((a, b) => b.id - a.id);
  return { ...same, pages: [{ ...first, rows }, ...same.pages.slice(1)] };
}

/** Pages that hold any of these rows. */
export function pagesWith<T extends Row>(data: Pages<T>, ids: ReadonlySet<number>): number[] {
  return data.pages.flatMap((page, i) => (page.rows.some((row) => ids.has(row.id)) ? [i] : []));
}
