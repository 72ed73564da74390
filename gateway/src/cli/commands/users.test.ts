import { expect, test } from 'vitest';
import type { UserView } from '../../http/views.ts';
import { when } from '../table.ts';
import { showUser } from './users.ts';

const SINCE = Date.UTC(2026, 10, 21, 10, 5);
const time = new Date(SINCE).toISOString();

const ADA = {
  ...{ id: 1042, name: 'Ada', version: 2, groups: [1, 2] },
  fields: [{ field: 'name', origin: 'terminal', terminal: 'terminal-3', time }],
} as unknown as UserView;

test('a user is shown with times as all tables tell them, and for how long they are valid', () => {
  const shown = showUser(ADA);
  expect(shown).toMatch(/^user 1042 Ada, version 2\ngroups 1, 2\nvalid always\n/);
  expect(shown).toContain(`name   terminal  terminal-3  ${when(SINCE)}`);
  expect(showUser({ ...ADA, validUntil: time })).toContain(`\nvalid until ${when(SINCE)}\n`);
  expect(showUser({ ...ADA, validFrom: time, validUntil: time })).toContain(
    `\nvalid from ${when(SINCE)} until ${when(SINCE)}\n`,
  );
});
