import './posts.css';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation, useParams } from 'wouter';
import { api } from '@/api/client';
import { isApiError } from '@/api/errors';
import { useMay } from '@/api/useSession';
import { useHeading, useTitle } from '@/lib/page';
import { Button } from '@/ui/Button';
import { confirm } from '@/ui/confirm';
import { Icon } from '@/ui/icons';
import { ErrorBox, Loading, useErrorWords } from '@/ui/states';
import { Time } from '@/ui/Time';
import { toast } from '@/ui/toast';
import { forgetPost, usePost } from './data';
import { Gone } from './PostGone';
import type { Post } from './merge';

function Actions({ post, etag }: { post: Post; etag: string | null }) {
  const { t } = useTranslation('posts');
  const client = useQueryClient();
  const words = useErrorWords();
  const [, go] = useLocation();
  const [busy, setBusy] = useState(false);

  const remove = async (): Promise<void> => {
    const text = t('removeText', { titulo: post.titulo });
    if (!(await confirm({ title: t('removeTitle'), text: <p>{text}</p>, action: t('remove'), danger: true }))) return;
    setBusy(true);
    try {
      await api.delete('/api/posts/{id}', { path: { id: post.id }, headers: etag ? { 'If-Match': etag } : {} });
      toast(t('removed'));
      go('/posts');
      forgetPost(client, post.id);
    } catch (error) {
      const { title, detail } = words(error);
      toast(detail ?? title, { tone: 'bad' });
      void client.invalidateQueries({ queryKey: ['posts', 'one', post.id] });
    } finally {
      setBusy(false);
    }
  };

  return (
    <div className="cluster">
      <Link className="button" href={`/posts/${post.id}/editar`}><Icon name="edit" />{t('edit')}</Link>
      <Button kind="danger" icon="trash" busy={busy} onClick={() => void remove()}>{t('remove')}</Button>
    </div>
  );
}

function Whole({ post, etag }: { post: Post; etag: string | null }) {
  const { t } = useTranslation('posts');
  const mayChange = useMay('operador');
  const [seen] = useState(post);
  const changed = seen.titulo !== post.titulo || seen.conteudo !== post.conteudo || seen.autor !== post.autor;
  return (
    <article className="post" aria-labelledby="post">
      <p className="post__meta">
        <Link href={`/posts?autor=${encodeURIComponent(post.autor)}`}>{post.autor}</Link>
        <Time at={post.data_criacao} exact />
        <span className="num">nº {post.id}</span>
      </p>
      <p role="status" className={changed ? 'badge badge--info' : 'sr-only'}>{changed && t('changedNow')}</p>
      <div className="post__text">{post.conteudo}</div>
      {mayChange && <Actions post={post} etag={etag} />}
    </article>
  );
}

/** There from the first moment: its title comes with the answer. */
function Named({ id, query: { data, error, isPending, refetch } }: { id: number; query: ReturnType<typeof usePost> }) {
  const { t } = useTranslation('posts');
  const heading = data?.post.titulo ?? t('number', { id });
  useTitle(heading);
  useHeading();
  return (
    <>
      <h1 id="post" tabIndex={-1}>{heading}</h1>
      {error && <ErrorBox error={error} inline={data !== undefined} onRetry={() => void refetch()} />}
      {isPending && <Loading rows={2} />}
      {data && <Whole post={data.post} etag={data.etag} />}
    </>
  );
}

export default function PostView() {
  const { t } = useTranslation('posts');
  const id = Number(useParams<{ id: string }>().id);
  const valid = Number.isSafeInteger(id) && id > 0;
  const query = usePost(valid ? id : 0);
  const gone = !valid || isApiError(query.error, 404);
  return (
    <div className="stack">
      <p><Link className="button button--quiet" href="/posts"><Icon name="back" />{t('toList')}</Link></p>
      {gone ? <Gone /> : <Named key={id} id={id} query={query} />}
    </div>
  );
}
