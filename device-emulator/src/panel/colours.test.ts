import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const PAGE = readFileSync(join(import.meta.dirname, 'page.css'), 'utf8');
const TEXTS = ['text', 'quiet', 'brand', 'good', 'bad'];
const GROUNDS = ['page', 'card', 'sunk', 'body-top', 'body-bottom'];
/** WCAG 2.2, 1.4.3: what text needs that is not large. */
const ENOUGH = 4.5;

function colours(selector: string): Map<string, string> {
  const block = new RegExp(`^${selector} \\{(.*?)^\\}`, 'ms').exec(PAGE)?.[1] ?? '';
  return new Map(
    [...block.matchAll(/--panel-([a-z-]+): (#[0-9a-f]{6});/g)].map(([, name = '', hex = '']) => [name, hex]),
  );
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test.each([':root', '\\.wa-dark'])('every text can be read on every ground: %s', (selector) => {
  const found = new Map([...colours(':root'), ...colours(selector)]);
  const pairs = [
    ...TEXTS.flatMap((text) => GROUNDS.map((ground) => [text, ground] as const)),
    ['bad', 'bad-soft'],
    ['text', 'bad-soft'],
    ['quiet', 'bad-soft'],
    ['text', 'brand-soft'],
    ['ink', 'glass'],
  ] as const;
  const poor = pairs
    .map(
      ([text, ground]) => [text, ground, contrast(found.get(text) ?? '', found.get(ground) ?? '')] as const,
    )
    .filter(([, , ratio]) => !(ratio >= ENOUGH));
  expect(poor).toEqual([]);
});
