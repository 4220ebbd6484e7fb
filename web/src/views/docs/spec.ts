type Operations = Record<string, unknown>;

interface Document {
  paths: Record<string, Operations>;
  servers?: unknown;
}

/**
 * The document as people read it: HEAD is as GET everywhere and OPTIONS is CORS', so both are left out; it is tried
 * out at this very address, wherever that is.
 */
export function forReaders<T extends Document>(document: T): T {
  const paths = Object.entries(document.paths).map(([path, operations]) => {
    const kept = Object.entries(operations).filter(([method]) => method !== 'head' && method !== 'options');
    return [path, Object.fromEntries(kept)] as const;
  });
  return { ...document, servers: [{ url: '/' }], paths: Object.fromEntries(paths) };
}
