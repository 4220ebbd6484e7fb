import { store } from '@/lib/store';

export type Theme = 'system' | 'light' | 'dark';
const KEY = 'alicerce.tema'; // public/tema.js reads it before the first paint

function stored(): Theme {
  try {
    const theme = localStorage.getItem(KEY);
    return theme === 'light' || theme === 'dark' ? theme : 'system';
  } catch {
    return 'system';
  }
}

export const theme = store<Theme>(stored());

export function setTheme(next: Theme): void {
  const root = document.documentElement;
  if (next === 'system') delete root.dataset.theme;
  else root.dataset.theme = next;
  try {
    if (next === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // forbidden: it holds for this page
  }
  theme.set(next);
}

/** Is the page dark now, by hand or by the system? For what CSS alone cannot colour. */
export function isDark(): boolean {
  const one = theme.get();
  return one === 'system' ? matchMedia('(prefers-color-scheme: dark)').matches : one === 'dark';
}

export function onDarkChange(listener: () => void): () => void {
  const media = matchMedia('(prefers-color-scheme: dark)');
  media.addEventListener('change', listener);
  const off = theme.subscribe(listener);
  return () => {
    media.removeEventListener('change', listener);
    off();
  };
}
