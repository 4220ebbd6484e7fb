import { useCallback, useState } from 'react';

function read<T extends Record<string, string>>(key: string, empty: T): T {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? '{}') as Record<string, unknown>;
    const entries = Object.entries(empty).map(([name, usual]) => [name, typeof kept[name] === 'string' ? kept[name] : usual]);
    return Object.fromEntries(entries) as T;
  } catch {
    return empty;
  }
}

/** Fields of a form that outlive a reload and a walk through the page; sent or discarded, they are forgotten. */
export function useDraft<T extends Record<string, string>>(name: string, empty: T): [T, (change: Partial<T>) => void, () => void] {
  const key = `alicerce.rascunho.${name}`;
  const [values, setValues] = useState(() => read(key, empty));
  const change = useCallback((part: Partial<T>) => {
    setValues((before) => {
      const after = { ...before, ...part };
      try {
        sessionStorage.setItem(key, JSON.stringify(after));
      } catch {
        // storage is forbidden or full: it lives as long as the form
      }
      return after;
    });
  }, [key]);
  const forget = useCallback(() => {
    try {
      sessionStorage.removeItem(key);
    } catch {
      // nothing to forget
    }
    setValues(empty);
  }, [key, empty]);
  return [values, change, forget];
}
