import { expect, test } from 'vitest';
import { counted } from './counted.ts';

test.each([
  [0, '0 lines'],
  [1, '1 line'],
  [2, '2 lines'],
  [12_000, '12,000 lines'],
])('%d is told in one or many', (count, text) => {
  expect(counted(count, 'line')).toBe(text);
});

test('a word that has its own plural is told by that', () => {
  expect([1, 2].map((count) => counted(count, 'try', 'tries'))).toEqual(['1 try', '2 tries']);
});
