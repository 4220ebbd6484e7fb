import { useRef } from 'react';

/** Works where crypto.randomUUID is not to be had: on plain HTTP outside of localhost. */
export function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * The key of a request: the same for the same body, so that a second press or another try never does twice what
 * may have been done; another one once the body differs.
 */
export function useIdempotencyKey(): (body: unknown) => string {
  const last = useRef({ text: '', key: '' });
  return (body) => {
    const text = JSON.stringify(body);
    if (last.current.text !== text) last.current = { text, key: randomKey() };
    return last.current.key;
  };
}
