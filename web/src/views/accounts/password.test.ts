import { expect, it } from 'vitest';
import { rules } from './password';

it('counts characters as the API does', () => {
  expect(rules('🐎🐎ab cd efgh', '').length).toBe(true);
  expect(rules('curta', '').length).toBe(false);
  expect(rules('a1b2c3d4'.repeat(17), '').length).toBe(false);
});
it('knows repetitions, cut ones too', () => {
  expect(rules('senha1senha1sen', '').varied).toBe(false);
  expect(rules('um cavalo anda em L', '').varied).toBe(true);
});
it('refuses the address, and its first part with little around it', () => {
  expect(rules('x ANA.MARIA@exemplo.com y', 'ana.maria@exemplo.com').address).toBe(false);
  expect(rules('ana.maria123', 'ana.maria@exemplo.com').address).toBe(false);
  expect(rules('um cavalo anda em L', 'ana.maria@exemplo.com').address).toBe(true);
});
