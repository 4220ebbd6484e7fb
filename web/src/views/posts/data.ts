// What the posts views read and change. Lists are kept true by events while somebody is signed in, else by
// asking for the first page now and then: the browser sends its ETag, and an unchanged page costs a 304.
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { api, type Answer } from '@/api/client';
import { isApiError } from '@/api/errors';
import { useLive, useLiveState, type LiveEvents } from '@/api/live';
import { pollEvery } from '@/api/query';
import { newIds, withHead, withPost, withoutPost, type Post, type PostsData, type PostsPage } from './merge';

export interface PostFilters {
  busca: string;
  autor: string;
}

const PAGE = 30;
const FAR_PX = 240; // further down than this, the list is not moved under the reader
const LISTS = ['posts', 'list'] as const;

async function readPage(filters: PostFilters, cursor: string, signal?: AbortSignal): Promise<PostsPage> {
  const query = { limite: PAGE, cursor: cursor || undefined, busca: filters.busca || undefined, autor: filters.autor || undefined };
  const { data, ms } = await api.get('/api/posts', { query, signal, token: false });
  return { ...data, ms };
}

export function forgetPost(client: QueryClient, id: number): void {
  client.setQueriesData<PostsData>({ queryKey: LISTS }, (data) => data && withoutPost(data, id));
  client.removeQueries({ queryKey: ['posts', 'one', id] });
}

export function rememberPost(client: QueryClient, answer: Answer<Post>): void {
  const post = answer.data;
  client.setQueriesData<PostsData>({ queryKey: LISTS }, (data) => data && withPost(data, post));
  client.setQueryData(['posts', 'one', post.id], { post, etag: answer.etag });
}

function useHead(filters: PostFilters, enabled: boolean) {
  const client = useQueryClient();
  const live = useLiveState();
  const key = JSON.stringify(filters);
  const [state, setState] = useState<{ key: string; arrived: number[]; pending: PostsPage | null }>({ key, arrived: [], pending: null });
  const { arrived, pending } = state.key === key ? state : { arrived: [] as number[], pending: null };

  const take = useCallback((head: PostsPage) => {
    client.setQueryData<PostsData>([...LISTS, filters], (data) => data && withHead(data, head));
  }, [client, filters]);

  useQuery({
    queryKey: ['posts', 'head', filters],
    queryFn: async ({ signal }) => {
      const head = await readPage(filters, '', signal);
      const data = client.getQueryData<PostsData>([...LISTS, filters]);
      if (!data) return 0;
      const ids = newIds(data, head);
      if (ids.length > 0 && window.scrollY > FAR_PX) {
        setState({ key, arrived: [], pending: head });
      } else {
        take(head);
        if (ids.length > 0) setState({ key, arrived: ids, pending: null });
      }
      return head.posts[0]?.id ?? 0;
    },
    enabled,
    refetchInterval: pollEvery(live),
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });

  const show = useCallback(() => {
    const data = client.getQueryData<PostsData>([...LISTS, filters]);
    if (!pending || !data) return;
    setState({ key, arrived: newIds(data, pending), pending: null });
    take(pending);
  }, [client, filters, key, pending, take]);

  const data = client.getQueryData<PostsData>([...LISTS, filters]);
  const waiting = pending && data ? newIds(data, pending).length : 0;
  return { arrived, waiting, waitingMore: waiting === PAGE, show };
}

function usePostEvents(): void {
  const client = useQueryClient();
  const onPost = (event: LiveEvents['post']): void => {
    if (event.acao === 'removido') forgetPost(client, event.id);
    if (event.acao === 'mudado') void client.invalidateQueries({ queryKey: ['posts', 'one', event.id] });
    void client.invalidateQueries({ queryKey: ['posts', 'head'] });
  };
  useLive('post', onPost);
  useLive('perdido', () => void client.invalidateQueries({ queryKey: ['posts'] }));
}

export function usePosts(filters: PostFilters, enabled = true) {
  const list = useInfiniteQuery<PostsPage, Error, PostsData, readonly unknown[], string>({
    queryKey: [...LISTS, filters],
    queryFn: ({ pageParam, signal }) => readPage(filters, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.proximo ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity, // the head keeps it true
    enabled,
  });
  const head = useHead(filters, enabled && list.isSuccess && !list.isPlaceholderData);
  usePostEvents();
  return { list, head };
}

export interface Reading {
  at: string;
  fonte: 'cache' | 'banco_de_dados';
  ms: number;
}

/** /api/posts/cache, and how it was read the last few times. */
export function useCachedPosts(enabled: boolean) {
  const [readings, setReadings] = useState<Reading[]>([]);
  const query = useQuery({
    queryKey: ['posts', 'cache'],
    queryFn: async ({ signal }) => {
      const { data, ms } = await api.get('/api/posts/cache', { signal, token: false, fresh: true });
      setReadings((before) => [{ at: new Date().toISOString(), fonte: data.fonte, ms }, ...before].slice(0, 10));
      return data;
    },
    enabled,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
  return { query, readings };
}

export function usePost(id: number) {
  usePostEvents();
  const live = useLiveState();
  return useQuery({
    queryKey: ['posts', 'one', id],
    queryFn: async ({ signal }) => {
      const { data, etag } = await api.get('/api/posts/{id}', { path: { id }, signal, token: false });
      return { post: data, etag };
    },
    refetchInterval: (query) => (isApiError(query.state.error, 404) ? false : pollEvery(live, 10_000)),
    staleTime: 0,
  });
}
