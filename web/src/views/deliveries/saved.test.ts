import { beforeEach, expect, it } from 'vitest';
import { readSaved, withSaved, writeSaved, type Saved } from './saved';

beforeEach(() => localStorage.clear());

const names = (saved: readonly Saved[]): string[] => saved.map(({ name }) => name);

it('keeps filters in this browser, each list its own', () => {
  writeSaved('entregas', [{ name: 'Mortas', search: '?estado=morta' }]);
  expect(readSaved('entregas')).toEqual([{ name: 'Mortas', search: '?estado=morta' }]);
  expect(readSaved('eventos')).toEqual([]);
});

it('believes nothing that it did not write itself', () => {
  for (const text of ['', '{', 'null', '7', '{"name":"a"}', '[null,1,"a",{"name":1,"search":""},{"name":"a"},{"name":"a","search":"//evil.example/"}]']) {
    localStorage.setItem('alicerce.filtros.entregas', text);
    expect(readSaved('entregas')).toEqual([]);
  }
});

it('orders by name; the same name again takes the place; there is a most', () => {
  const one = withSaved(withSaved([], { name: 'b', search: '?x=1' }), { name: 'a', search: '' });
  expect(names(one)).toEqual(['a', 'b']);
  const again = withSaved(one, { name: 'b', search: '?x=2' });
  expect(again).toEqual([{ name: 'a', search: '' }, { name: 'b', search: '?x=2' }]);
  const many = Array.from({ length: 50 }, (_, i) => i).reduce<Saved[]>((kept, i) => withSaved(kept, { name: `n${String(i).padStart(2, '0')}`, search: '' }), []);
  expect(many).toHaveLength(30);
  expect(names(many)).toContain('n49'); // what was just saved is among them
});
