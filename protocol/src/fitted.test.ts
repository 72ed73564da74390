import { expect, test } from 'vitest';
import { fitted } from './fitted.ts';

test('a long line is broken between words and goes on below its last column of the left half', () => {
  const text = ['short', '  --by   how late something is', '    some words of a sentence'].join('\n');
  expect(fitted(text, 20).split('\n')).toEqual([
    'short',
    '  --by   how late',
    '         something',
    '         is',
    '    some words of a',
    '    sentence',
  ]);
});

test('a word is never broken, and ends nothing', () => {
  expect(fitted('  a /very/long/path/of/a/file b', 10)).toBe('  a\n  /very/long/path/of/a/file\n  b');
});

test('without a terminal a line stays one', () => {
  expect(fitted('a b c', undefined)).toBe('a b c');
});
