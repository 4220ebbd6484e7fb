import { memo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { Time } from '@/ui/Time';
import type { Post } from './merge';

const SHOWN = 280; // characters of the text; the rest is for the post's own page

function beginning(text: string): string {
  return text.length > SHOWN ? `${text.slice(0, SHOWN).trimEnd()}…` : text;
}

export const PostCard = memo(function PostCard({ post, position, isNew, onAuthor }: {
  post: Post;
  position: number;
  isNew: boolean;
  onAuthor: (autor: string) => void;
}) {
  const { t } = useTranslation('posts');
  const id = `post-${post.id}`;
  return (
    <article className={isNew ? 'post-card is-new' : 'post-card'} aria-labelledby={id} aria-posinset={position} aria-setsize={-1}>
      <h2 className="post-card__title" id={id}><Link href={`/posts/${post.id}`}>{post.titulo}</Link></h2>
      <p className="post-card__text">{beginning(post.conteudo)}</p>
      <p className="post-card__foot">
        <button type="button" className="link" title={t('onlyAuthor', { autor: post.autor })} onClick={() => onAuthor(post.autor)}>{post.autor}</button>
        <Time at={post.data_criacao} />
        <span className="num">nº {post.id}</span>
      </p>
    </article>
  );
});
