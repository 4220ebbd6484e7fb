import { describe, expect, it } from 'vitest';
import { allRows, newRows, pagesWith, withHead, withPageAgain, type Pages } from './merge';

interface R { id: number; state: string }
const row = (id: number, state = 'a'): R => ({ id, state });
const page = (ids: number[], proximo: string | null, state?: string) => ({ rows: ids.map((id) => row(id, state)), proximo });
const list = (): Pages<R> => ({ pages: [page([9, 8, 7], 'c7'), page([6, 5, 4], 'c4')], pageParams: ['', 'c7'] });
const ids = (data: Pages<R>): number[] => allRows(data).map(({ id }) => id);

describe('a list that does not jump', () => {
  it('counts what is new', () => {
    expect(newRows(list(), page([11, 10, 9], 'x')).map(({ id }) => id)).toEqual([11, 10]);
    expect(newRows({ pages: [], pageParams: [] }, page([3], null))).toHaveLength(1);
  });

  it('changes rows in their place, drops what matches no more, adds nothing', () => {
    const after = withPageAgain(list(), 0, page([10, 9, 7], 'c7', 'b'));
    expect(ids(after)).toEqual([9, 7, 6, 5, 4]);
    expect(allRows(after)[0]).toEqual(row(9, 'b'));
  });

  it('keeps what the page read anew does not reach', () => {
    expect(ids(withPageAgain(list(), 0, page([12, 11, 10], 'x')))).toEqual([9, 8, 7, 6, 5, 4]);
    expect(ids(withPageAgain(list(), 1, page([6], null)))).toEqual([9, 8, 7, 6]);
    expect(ids(withPageAgain(list(), 5, page([], null)))).toEqual(ids(list()));
  });

  it('takes the new in front, and begins anew where some may be missing', () => {
    expect(ids(withHead(list(), page([11, 10, 9], 'x', 'b')))).toEqual([11, 10, 9, 8, 7, 6, 5, 4]);
    expect(ids(withHead(list(), page([30, 29, 28], 'x')))).toEqual([30, 29, 28]);
    expect(ids(withHead({ pages: [page([], null)], pageParams: [''] }, page([1], null)))).toEqual([1]);
  });

  it('finds the pages to read anew', () => {
    expect(pagesWith(list(), new Set([5, 99]))).toEqual([1]);
  });
});
