import { describe, expect, it } from 'vitest';
import { formatFor } from './format';

describe('format', () => {
  it.each([
    ['pt', [0, 1, 9, 4200, 10_700_000_000], ['0 byte', '1 byte', '9 bytes', '4,2 kB', '10,7 GB']],
    ['en', [0, 1, 9, 4200, 10_700_000_000], ['0 bytes', '1 byte', '9 bytes', '4.2 kB', '10.7 GB']],
  ] as const)('%s: bytes have a plural', (language, values, written) => {
    expect(values.map((value) => formatFor(language).bytes(value).replace(/\u00a0/g, ' '))).toEqual(written);
  });
});
