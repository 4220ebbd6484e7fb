// The lock file names versions and digests and no address: where packages come from is the business of
// whoever runs npm. With --write it takes out what npm puts in besides.
import { readFile, writeFile } from 'node:fs/promises';

const path = new URL('../package-lock.json', import.meta.url);
const text = await readFile(path, 'utf8');

if (process.argv.includes('--write')) {
  const lock = JSON.parse(text);
  for (const entry of Object.values(lock.packages)) {
    delete entry.resolved;
    delete entry.funding;
  }
  await writeFile(path, JSON.stringify(lock, null, 2) + '\n');
} else {
  const found = text.split('\n').filter((line) => line.includes('://') || line.includes('"resolved"'));
  if (found.length > 0) {
    console.error(`package-lock.json has addresses (npm run lock takes them out):\n${found.slice(0, 5).join('\n')}`);
    process.exit(1);
  }
}
