import type { InfiniteData } from '@tanstack/react-query';
import type { components } from '@/gen/schema';

export type Post = components['schemas']['Post'];
export interface PostsPage {
  posts: Post[];
  proximo: string | null;
  fonte: string;
  ms: number;
}
export type PostsData = InfiniteData<PostsPage, string>;

export function allPosts(data: PostsData | undefined): Post[] {
  return data?.pages.flatMap((page) => page.posts) ?? [];
}

/** Ids of the first page that the list does not have yet; newest first, ids only grow. */
export function newIds(data: PostsData, head: PostsPage): number[] {
  const newest = data.pages.flatMap((page) => page.posts)[0]?.id ?? 0;
  return head.posts.map((post) => post.id).filter((id) => id > newest);
}

/**
 * The list with a newly read first page worked in: what is new in front, what changed in its place, what is
 * gone taken out. When there may be posts between the two, the list begins anew with the page.
 */
export function withHead(data: PostsData, head: PostsPage): PostsData {
  const known = allPosts(data);
  const fresh = new Map(head.posts.map((post) => [post.id, post]));
  const oldest = head.proximo === null ? 0 : (head.posts.at(-1)?.id ?? 0);
  const [first] = data.pages;
  if (!first) return data;
  if (known.length > 0 && head.proximo !== null && !known.some((post) => fresh.has(post.id))) {
    return { pages: [head], pageParams: data.pageParams.slice(0, 1) };
  }
  const ids = new Set(known.map((post) => post.id));
  const added = head.posts.filter((post) => !ids.has(post.id));
  const pages = data.pages.map((page) => ({
    ...page,
    posts: page.posts.filter((post) => post.id < oldest || fresh.has(post.id)).map((post) => fresh.get(post.id) ?? post),
  }));
  const before = pages[0] ?? first;
  const all = [...added, ...before.posts].sort((a, b) => b.id - a.id);
  pages[0] = { ...before, fonte: head.fonte, ms: head.ms, posts: all };
  return { ...data, pages };
}

export function withPost(data: PostsData, post: Post): PostsData {
  const pages = data.pages.map((page) => ({ ...page, posts: page.posts.map((one) => (one.id === post.id ? post : one)) }));
  return { ...data, pages };
}

export function withoutPost(data: PostsData, id: number): PostsData {
  return { ...data, pages: data.pages.map((page) => ({ ...page, posts: page.posts.filter((post) => post.id !== id) })) };
}
