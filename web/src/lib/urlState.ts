import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';

/**
 * Filters that stand in the address. `defaults` names them (keep it outside of the component); what equals its
 * default is left out of the address. Unknown parameters stay untouched.
 */
export function useUrlState<T extends Record<string, string>>(
  defaults: T,
): [T, (change: Partial<T>, options?: { replace?: boolean }) => void] {
  const [params, setParams] = useSearchParams();
  const text = params.toString();
  const values = useMemo(() => {
    const from = new URLSearchParams(text);
    const found = Object.entries(defaults).map(([name, usual]) => [name, from.get(name) ?? usual]);
    return Object.fromEntries(found) as T;
  }, [text, defaults]);
  const set = useCallback((change: Partial<T>, options: { replace?: boolean } = {}) => {
    setParams((before) => {
      const after = new URLSearchParams(before);
      for (const [name, value] of Object.entries(change as Record<string, string | undefined>)) {
        if (value === undefined || value === defaults[name] || value === '') after.delete(name);
        else after.set(name, value);
      }
      return after;
    }, { replace: options.replace ?? false });
  }, [setParams, defaults]);
  return [values, set];
}
