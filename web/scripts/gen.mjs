// Makes src/gen/ of docs/openapi.yaml: the types of the API's client and the document that /docs shows.
// Nothing of it is kept in git, so it cannot be older than the API's own description.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import { parse } from 'yaml';

const source = new URL('../../docs/openapi.yaml', import.meta.url);
const target = new URL('../src/gen/', import.meta.url);

/** Writes only what differs: build tools look at times. */
async function put(name, text) {
  const path = new URL(name, target);
  const before = await readFile(path, 'utf8').catch(() => null);
  if (before !== text) await writeFile(path, text);
}

const yaml = await readFile(source, 'utf8');
const document = parse(yaml);
await mkdir(target, { recursive: true });
await put('schema.d.ts', astToString(await openapiTS(yaml, { defaultNonNullable: false })));
await put('openapi.json', JSON.stringify(document));
