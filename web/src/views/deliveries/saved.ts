export interface Saved {
  name: string;
  /** With its question mark. */
  search: string;
}

const SAVED_MAX = 30;
const key = (list: string): string => `alicerce.filtros.${list}`;

function isSaved(value: unknown): value is Saved {
  const one = value as Partial<Saved> | null;
  return typeof one === 'object' && one !== null && typeof one.name === 'string' && typeof one.search === 'string'
    && (one.search === '' || one.search.startsWith('?'));
}

export function readSaved(list: string): Saved[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(list)) ?? '[]');
    return Array.isArray(kept) ? kept.filter(isSaved).slice(0, SAVED_MAX) : [];
  } catch {
    return [];
  }
}

export function writeSaved(list: string, saved: Saved[]): void {
  try {
    localStorage.setItem(key(list), JSON.stringify(saved));
  } catch {
    // forbidden or full: they hold for this page
  }
}

/** One more, in the order of names; the same name again takes the place of the former. */
export function withSaved(saved: readonly Saved[], one: Saved): Saved[] {
  return [...saved.filter((other) => other.name !== one.name).slice(0, SAVED_MAX - 1), one].sort((a, b) => a.name.localeCompare(b.name));
}
