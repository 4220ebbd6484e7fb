// A list of operators' rows: pages as one scrolls, and what came meanwhile, counted in front of it.
import { useInfiniteQuery, useQuery, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useLiveState } from '@/api/live';
import { pollEvery } from '@/api/query';
import { newRows, pagesWith, withHead, withPageAgain, type Page, type Pages, type Row } from './merge';

export const PAGE = 50;

interface Options<T extends Row, P extends Page<T>> {
  queryKey: QueryKey;
  read: (cursor: string, signal?: AbortSignal) => Promise<P>;
  /** What is new goes into the list at once. */
  follow: boolean;
}

export function useRows<T extends Row, P extends Page<T>>({ queryKey, read, follow }: Options<T, P>) {
  const client = useQueryClient();
  const live = useLiveState();
  const key = JSON.stringify(queryKey);
  const [waiting, setWaiting] = useState<{ key: string; head: P } | null>(null);
  const [arrived, setArrived] = useState<{ key: string; ids: ReadonlySet<number> } | null>(null);

  const list = useInfiniteQuery<P, Error, Pages<T, P>, QueryKey, string>({
    queryKey,
    queryFn: ({ pageParam, signal }) => read(pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
    staleTime: Infinity, // the head keeps it true
  });

  const take = useCallback((head: P) => {
    client.setQueryData<Pages<T, P>>(queryKey, (data) => {
      if (!data) return data;
      setArrived({ key, ids: new Set(newRows<T>(data, head).map((row) => row.id)) });
      return withHead<T, P>(data, head);
    });
    setWaiting(null);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- key says what queryKey does
  }, [client, key]);

  useQuery({
    queryKey: [...queryKey, 'head'],
    queryFn: async ({ signal }) => {
      const head = await read('', signal);
      const data = client.getQueryData<Pages<T, P>>(queryKey);
      if (!data) return 0;
      const fresh = newRows<T>(data, head);
      if (fresh.length > 0 && (follow || (data.pages[0]?.rows.length ?? 0) === 0)) {
        take(head);
      } else {
        client.setQueryData<Pages<T, P>>(queryKey, (before) => before && withPageAgain<T, P>(before, 0, head));
        setWaiting(fresh.length > 0 ? { key, head } : null);
      }
      return fresh.length;
    },
    enabled: list.isSuccess,
    refetchInterval: pollEvery(live),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });

  /** These may have changed: the pages that hold them are read again. */
  const changed = useCallback(async (ids: readonly number[]) => {
    const data = client.getQueryData<Pages<T, P>>(queryKey);
    if (!data) return;
    for (const index of pagesWith<T>(data, new Set(ids)).filter((one) => one > 0).slice(0, 4)) {
      const again = await read(data.pageParams[index] ?? '').catch(() => null);
      if (again) client.setQueryData<Pages<T, P>>(queryKey, (before) => before && withPageAgain<T, P>(before, index, again));
    }
    // eslint-disable-next-line react-hooks/exhaustive-deps -- key says what queryKey does
  }, [client, key, read]);

  const mine = waiting?.key === key ? waiting.head : null;
  const count = mine && list.data ? newRows<T>(list.data, mine).length : 0;
  return {
    list,
    changed,
    waiting: count,
    /** There may be more than were counted. */
    waitingMore: count === PAGE,
    show: () => mine && take(mine),
    isNew: (row: T) => arrived?.key === key && arrived.ids.has(row.id),
  };
}
