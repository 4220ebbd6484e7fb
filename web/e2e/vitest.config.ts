import { defineConfig } from 'vitest/config';

// One file after the other: they share one stack, and some of them stop its servers.
export default defineConfig({
  test: {
    include: ['e2e/**/*.e2e.ts'],
    environment: 'node',
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } }, // a second is little on a busy machine
    reporters: ['verbose'],
  },
});
