import { describe, expect, it } from 'vitest';

type Tree = { [key: string]: string | Tree };
const texts = import.meta.glob<Tree>('./locales/*/*.ts', { import: 'default', eager: true });
const names = (language: string): string[] =>
  Object.keys(texts).filter((path) => path.includes(`/${language}/`)).map((path) => path.replace(/.*\//, ''));

function leaves(tree: Tree, above = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') found.set(above + key, value);
    else for (const [inner, text] of leaves(value, `${above}${key}.`)) found.set(inner, text);
  }
  return found;
}

const placeholders = (text = ''): string[] => [...new Set(text.match(/\{\{\w+\}\}/g))].sort();

describe('texts', () => {
  it('has the same namespaces in both languages', () => {
    expect(names('en')).toEqual(names('pt'));
  });

  it.each(names('pt'))('%s has the same keys and placeholders in both languages', (name) => {
    const pt = leaves(texts[`./locales/pt/${name}`] ?? {});
    const en = leaves(texts[`./locales/en/${name}`] ?? {});
    expect([...en.keys()].sort()).toEqual([...pt.keys()].sort());
    for (const [key, text] of pt) expect([key, placeholders(en.get(key))]).toEqual([key, placeholders(text)]);
    for (const [key, text] of en) expect([key, text.trim()]).not.toEqual([key, '']);
  });
});
