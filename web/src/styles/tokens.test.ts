import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const css = readFileSync('src/styles/tokens.css', 'utf8');

function block(selector: string): Map<string, string> {
  const at = css.indexOf(selector);
  const body = css.slice(css.indexOf('{', at) + 1, css.indexOf('}', at));
  return new Map([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map(([, name = '', value = '']) => [name, value]));
}

const light = block(':root {');
const bySystem = block(':root:not([data-theme="light"])');
const byHand = block(':root[data-theme="dark"]');

it('says dark the same by the system and by hand', () => {
  expect(byHand).toEqual(bySystem);
  expect(byHand.size).toBeGreaterThan(10);
});

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((i) => {
    const c = parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, bright = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (bright + 0.05) / (dark + 0.05);
}

const TEXT: [string, string][] = [
  ...['--ground', '--sheet', '--sunken'].flatMap((on): [string, string][] => [['--ink', on], ['--muted', on]]),
  ['--accent', '--sheet'], ['--accent', '--ground'], ['--accent', '--accent-soft'], ['--accent-ink', '--accent'],
  ...['good', 'warn', 'bad', 'info'].flatMap((tone): [string, string][] => [[`--${tone}`, `--${tone}-soft`], [`--${tone}`, '--sheet']]),
  ['--ink', '--mark'],
];

for (const [name, tokens] of [['light', light], ['dark', new Map([...light, ...byHand])]] as const) {
  it.each(TEXT)(`${name}: %s on %s has 4.5:1`, (ink, ground) => {
    expect(contrast(tokens.get(ink) ?? '', tokens.get(ground) ?? '')).toBeGreaterThanOrEqual(4.5);
  });
  it.each(['--ground', '--sheet'])(`${name}: lines of controls on %s have 3:1`, (ground) => {
    expect(contrast(tokens.get('--control') ?? '', tokens.get(ground) ?? '')).toBeGreaterThanOrEqual(3);
  });
}
