// How much JavaScript the posts view loads before anything is clicked, gzipped; fails above the limit.
// Counted from Vite's manifest: the entry, what it imports statically, and the same of the chunks that the
// view and its texts ask for at once.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

const LIMIT = 150 * 1000;
const FIRST = ['index.html', 'src/views/posts/PostsView.tsx', 'src/i18n/locales/pt/common.ts', 'src/i18n/locales/pt/posts.ts'];
const dist = new URL('../../build/web/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('page/.vite/manifest.json', dist), 'utf8'));

const files = new Set();
function add(key) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`the manifest has no ${key}`);
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  (chunk.imports ?? []).forEach(add);
}
FIRST.forEach(add);

let total = 0;
for (const file of files) {
  const bytes = gzipSync(await readFile(new URL(`page/${file}`, dist)), { level: 9 }).length;
  total += bytes;
  console.log(`${String(bytes).padStart(8)}  ${file}`);
}
console.log(`${String(total).padStart(8)}  bytes of JavaScript on the first load of the posts view, gzipped (limit ${LIMIT})`);
if (total > LIMIT) process.exit(1);
