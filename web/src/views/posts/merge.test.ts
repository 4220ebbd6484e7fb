import { describe, expect, it } from 'vitest';
import { allPosts, newIds, withHead, withoutPost, withPost, type Post, type PostsData, type PostsPage } from './merge';

const post = (id: number, titulo = 'a'): Post => ({ id, titulo, conteudo: '', autor: '', data_criacao: '2026-01-01T00:00:00.000000Z' });
const page = (ids: number[], proximo: string | null, titulo?: string): PostsPage => ({ posts: ids.map((id) => post(id, titulo)), proximo, fonte: 'banco_de_dados', ms: 1 });
const list = (): PostsData => ({ pages: [page([9, 8, 7], 'c7'), page([6, 5], null)], pageParams: ['', 'c7'] });
const ids = (data: PostsData): number[] => allPosts(data).map(({ id }) => id);

describe('a list of posts and its first page read anew', () => {
  it('names what is new', () => {
    expect(newIds(list(), page([11, 10, 9], 'x'))).toEqual([11, 10]);
    expect(newIds({ pages: [], pageParams: [] }, page([1], null))).toEqual([1]);
  });

  it('takes the new in front, each post once, and what changed in its place', () => {
    const after = withHead(list(), page([11, 10, 9, 8], 'x', 'b'));
    expect(ids(after)).toEqual([11, 10, 9, 8, 7, 6, 5]);
    expect(allPosts(after).filter(({ titulo }) => titulo === 'b').map(({ id }) => id)).toEqual([11, 10, 9, 8]);
  });

  it('drops what is gone, but not what the page does not reach', () => {
    expect(ids(withHead(list(), page([9, 7, 6], 'x')))).toEqual([9, 7, 6, 5]);
    expect(ids(withHead(list(), page([9, 8], null)))).toEqual([9, 8]);
  });

  it('begins anew where posts may be missing between', () => {
    expect(ids(withHead(list(), page([30, 29], 'x')))).toEqual([30, 29]);
    expect(ids(withHead({ pages: [page([], null)], pageParams: [''] }, page([1], null)))).toEqual([1]);
  });

  it('changes one and takes one out', () => {
    expect(allPosts(withPost(list(), post(8, 'novo'))).map(({ titulo }) => titulo)).toEqual(['a', 'novo', 'a', 'a', 'a']);
    expect(ids(withoutPost(list(), 8))).toEqual([9, 7, 6, 5]);
  });
});
