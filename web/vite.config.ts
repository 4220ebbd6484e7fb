import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

// Where `npm run dev` finds the API: `make run` says it as API_URL.
const api = process.env.API_URL ?? 'http://127.0.0.1:3000';
const proxied = { target: api, changeOrigin: false };

const LANDMARK = 'createElement("main",{id:"operations"';

/** Swagger UI brings a <main> of its own, and the page has one: a plain element in its place. */
function noSecondMain(): Plugin {
  return {
    name: 'no-second-main',
    enforce: 'pre',
    transform(code, id) {
      if (!id.endsWith('/swagger-ui-es-bundle.js') || id.startsWith('\0')) return null;
      if (!code.includes(LANDMARK)) this.error('Swagger UI has no <main> where it had one');
      return { code: code.replace(LANDMARK, LANDMARK.replace('main', 'div')), map: null };
    },
  };
}

export default defineConfig({
  plugins: [react(), noSecondMain()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: '../build/web/page',
    emptyOutDir: true,
    manifest: true, // .vite/manifest.json, for scripts/size.mjs; build.sh leaves it behind
    target: 'es2022',
    assetsInlineLimit: 0, // the front's policy has no data: for scripts or styles, and files cache better
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000, // scripts/size.mjs has the limit that matters
  },
  server: { proxy: { '/api': proxied, '/status': proxied, '/health': proxied } },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test/setup.ts'],
    restoreMocks: true,
  },
});
