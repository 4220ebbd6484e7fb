import { afterEach, describe, expect, it, vi } from 'vitest';
import { download, rowCounter, share } from './csv';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

afterEach(() => vi.unstubAllGlobals());

describe('rows of a CSV', () => {
  it('are counted without the header, across pieces', () => {
    const count = rowCounter();
    expect(count(bytes('id,nome\r'))).toBe(0);
    expect(count(bytes('\n1,A\r\n2,'))).toBe(1);
    expect(count(bytes('B\r\n'))).toBe(2);
  });
  it('may hold line feeds and quotes within quotes', () => {
    const count = rowCounter();
    expect(count(bytes('id,nome\r\n1,"a\nb ""c""\n"'))).toBe(0);
    expect(count(bytes('\r\n'))).toBe(1);
  });
});

describe('progress', () => {
  it('has no share without an estimate and never ends early', () => {
    expect(share({ bytes: 1, rows: 1, total: null })).toBeNull();
    expect(share({ bytes: 1, rows: 5, total: 10 })).toBe(0.5);
    expect(share({ bytes: 1, rows: 50, total: 10 })).toBe(0.99);
  });
  it('is told now and then, however many pieces come, and at the end', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(bytes('id\r\n'));
        for (let i = 0; i < 5000; i++) controller.enqueue(bytes(`${i}\r\n`));
        controller.close();
      },
    });
    vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response(body))));
    const seen: number[] = [];
    await download({}, new AbortController().signal, (p) => seen.push(p.rows));
    expect(seen[0]).toBe(0);
    expect(seen.at(-1)).toBe(5000);
    expect(seen.length).toBeLessThan(200);
  });
  it('comes at the beginning, and the name only when it is harmless', async () => {
    const answer = new Response('id\r\n1\r\n', { headers: { 'X-Total-Estimado': '7', 'Content-Disposition': 'attachment; filename="../x"' } });
    vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(answer)));
    const seen: (number | null)[] = [];
    const { rows, name } = await download({}, new AbortController().signal, (p) => seen.push(p.total));
    expect(rows).toBe(1);
    expect(seen[0]).toBe(7);
    expect(name).toMatch(/^leads-\d{4}-\d\d-\d\d\.csv$/);
  });
});
