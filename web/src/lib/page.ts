import { useEffect } from 'react';

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Alicerce`;
  }, [title]);
}

let first = true;

/**
 * A new view begins at its heading: for the eye at the top, for a reader with the focus. Not at the very first
 * one, where the browser's own order is right, and not when `keep` (going back to where one was).
 */
export function useHeading(keep = false): void {
  useEffect(() => {
    if (first) {
      first = false;
      return;
    }
    if (!keep) window.scrollTo(0, 0);
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true });
  }, [keep]);
}
