import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test('of known words the one that was probably meant is named, whatever its case; of none near, none', () => {
  const known = ['autoSync', 'restoreDeleted', 'merge'];
  expect(nearest('autosnyc', known)).toBe('autoSync');
  expect(nearest('RestoreDelete', known)).toBe('restoreDeleted');
  expect(nearest('merged', known)).toBe('merge');
  expect(nearest('temperature', known)).toBeUndefined();
  expect(nearest('merge', [])).toBeUndefined();
});
