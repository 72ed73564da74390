import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { specTables, withTables } from './print.ts';

const SPEC = readFileSync(new URL('../../SPEC.md', import.meta.url), 'utf8');

test('the tables of SPEC.md are those of the rows (npm run spec prints them anew)', () => {
  expect(withTables(SPEC)).toBe(SPEC);
});

test('SPEC.md has every table', () => {
  for (const name of specTables().keys()) expect(SPEC).toContain(`<!-- rows: ${name} -->`);
});
