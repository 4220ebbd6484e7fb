import './posts.css';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { useLiveState } from '@/api/live';
import { useFormat } from '@/i18n/format';
import { useHeading, useTitle } from '@/lib/page';
import { useUrlState } from '@/lib/urlState';
import { Badge } from '@/ui/Badge';
import { Button } from '@/ui/Button';
import { Icon } from '@/ui/icons';
import { LiveMark } from '@/ui/LiveMark';
import { SearchField } from '@/ui/SearchField';
import { Segmented } from '@/ui/Segmented';
import { Empty, ErrorBox, Loading } from '@/ui/states';
import { wasLeft, WindowList } from '@/ui/WindowList';
import { CachePanel } from './CachePanel';
import { useCachedPosts, usePosts, type PostFilters } from './data';
import { allPosts, type Post } from './merge';
import { PostCard } from './PostCard';

const FILTERS = { busca: '', autor: '', fonte: '' };

function NewPosts({ waiting, more, onShow }: { waiting: number; more: boolean; onShow: () => void }) {
  const { t } = useTranslation('posts');
  if (waiting === 0) return null;
  return (
    <div className="new-posts">
      <Button kind="primary" icon="up" onClick={() => {
        onShow();
        window.scrollTo({ top: 0, behavior: 'smooth' });
      }}>{more ? t('newMore', { count: waiting - 1 }) : t('new', { count: waiting })}</Button>
    </div>
  );
}

function Nothing() {
  const { t } = useTranslation('posts');
  return <Empty title={t('emptyTitle')}><p>{t('emptyText')}</p><Link className="button button--primary" href="/posts/novo">{t('write')}</Link></Empty>;
}

function Database({ posts: { list, head }, filters, onAuthor, onClear }: {
  posts: ReturnType<typeof usePosts>;
  filters: PostFilters;
  onAuthor: (autor: string) => void;
  onClear: () => void;
}) {
  const { t } = useTranslation('posts');
  const { data, error, isPending, isFetching, hasNextPage, isFetchNextPageError, fetchNextPage, refetch } = list;
  const posts = allPosts(data);
  const more = useCallback(() => void fetchNextPage({ cancelRefetch: false }), [fetchNextPage]);
  const filtered = filters.busca !== '' || filters.autor !== '';

  if (error && !data) return <ErrorBox error={error} onRetry={() => void refetch()} />;
  if (isPending) return <Loading />;
  if (posts.length === 0) {
    return filtered ? (
      <Empty icon="search" title={t('noneTitle')}><p>{t('noneText')}</p><Button onClick={onClear}>{t('clear')}</Button></Empty>
    ) : (
      <Nothing />
    );
  }
  return (
    <>
      <p className="sr-only" role="status">{head.arrived.length > 0 && t('new', { count: head.arrived.length })}</p>
      <NewPosts waiting={head.waiting} more={head.waitingMore} onShow={head.show} />
      <WindowList<Post> name={`posts ${filters.busca} ${filters.autor}`} label={t('list')} items={posts} estimate={124}
        render={(post, index) => <PostCard post={post} position={index + 1} isNew={head.arrived.includes(post.id)} onAuthor={onAuthor} />}
        hasMore={hasNextPage} fetching={isFetching} error={isFetchNextPageError ? error : null} onMore={more} />
    </>
  );
}

function Cached({ onAuthor }: { onAuthor: (autor: string) => void }) {
  const { t } = useTranslation('posts');
  const { query, readings } = useCachedPosts(true);
  return (
    <div className="cache-view">
      <CachePanel readings={readings} busy={query.isFetching} onRead={() => void query.refetch()} />
      <div className="stack">
        {query.error && <ErrorBox inline={query.data !== undefined} error={query.error} onRetry={() => void query.refetch()} />}
        {query.isPending && <Loading />}
        {query.data?.posts.map((post, index) => <PostCard key={post.id} post={post} position={index + 1} isNew={false} onAuthor={onAuthor} />)}
        {query.data?.posts.length === 0 && <Nothing />}
        {query.data && <p className="muted small">{t('cacheOnlyFirst')}</p>}
      </div>
    </div>
  );
}

export default function PostsView() {
  const { t } = useTranslation('posts');
  const format = useFormat();
  const live = useLiveState();
  const [filters, setFilters] = useUrlState(FILTERS);
  useTitle(t('title'));
  useHeading(wasLeft(`posts ${filters.busca} ${filters.autor}`));
  const { busca, autor } = filters;
  const [stable, setStable] = useState({ busca, autor });
  if (stable.busca !== busca || stable.autor !== autor) setStable({ busca, autor });
  const cached = filters.fonte === 'cache';
  const posts = usePosts(stable, !cached);
  const first = posts.list.data?.pages[0];
  const onAuthor = useCallback((name: string) => setFilters({ autor: name, fonte: '' }), [setFilters]);
  const onSearch = useCallback((text: string) => setFilters({ busca: text }, { replace: true }), [setFilters]);

  return (
    <div className="measure-wide">
      <div className="page-head">
        <h1 tabIndex={-1}>{t('title')}</h1>
        <Link className="button button--primary" href="/posts/novo"><Icon name="plus" />{t('write')}</Link>
      </div>
      <div className="toolbar">
        {!cached && <SearchField label={t('search')} placeholder={t('searchHint')} value={busca} onChange={onSearch} />}
        {!cached && autor !== '' && (
          <Button size="small" icon="close" onClick={() => setFilters({ autor: '' })}>{t('onlyAuthor', { autor })}</Button>
        )}
        <div className="toolbar__end cluster">
          <Segmented label={t('source')} value={cached ? 'cache' : 'banco'} onChange={(value) => setFilters(value === 'cache' ? { fonte: 'cache', busca: '', autor: '' } : { fonte: '' })}
            options={[{ value: 'banco', label: <><Icon name="database" size={15} />{t('database')}</> }, { value: 'cache', label: <><Icon name="cache" size={15} />{t('cache')}</> }]} />
        </div>
      </div>
      <div className="cluster spread list-head">
        {cached ? <span /> : <LiveMark state={live} />}
        {!cached && first && <Badge icon="database">{t('readFrom.banco_de_dados', { ms: format.ms(first.ms) })}</Badge>}
      </div>
      {cached ? <Cached onAuthor={onAuthor} /> : <Database posts={posts} filters={stable} onAuthor={onAuthor} onClear={() => setFilters({ busca: '', autor: '' })} />}
    </div>
  );
}
