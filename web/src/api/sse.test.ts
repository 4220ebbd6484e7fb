import { expect, it } from 'vitest';
import { parser } from './sse';

it('reads fields, several lines of data and the last id', () => {
  const one = parser();
  expect(one.feed('retry: 2500\n: heart\n\nevent: post\nid: 7\ndata: {"a":\ndata: 1}\n\n')).toEqual([{ type: 'post', data: '{"a":\n1}' }]);
  expect(one.lastId).toBe('7');
  expect(one.retry).toBe(2500);
});

it('takes pieces cut anywhere, and each kind of line end', () => {
  const text = 'event: a\r\ndata: 1\r\n\r\ndata:2\r\rdata: é\n\n';
  for (let cut = 0; cut <= text.length; cut++) {
    const one = parser();
    const events = [...one.feed(text.slice(0, cut)), ...one.feed(text.slice(cut))];
    expect(events).toEqual([{ type: 'a', data: '1' }, { type: 'message', data: '2' }, { type: 'message', data: 'é' }]);
  }
});

it('keeps the id of events that are whole, and no id with a NUL', () => {
  const one = parser('3');
  one.feed('id: 4\ndata: x\n');
  expect(one.lastId).toBe('3');
  one.feed('\nid: 5\0\ndata: y\n\n');
  expect(one.lastId).toBe('4');
});

it('gives up on a line without an end', () => {
  expect(() => parser().feed('data: ' + 'x'.repeat(2 << 20))).toThrow();
});
