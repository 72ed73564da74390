import { expect, test } from 'vitest';
import type { ConflictView } from '../../http/conflict-views.ts';
import { when } from '../table.ts';
import { showConflict, showList } from './conflicts.ts';

const OPENED = Date.UTC(2026, 10, 21, 10, 5);
const COLUMNS = 80;

const by = {
  origin: 'terminal',
  terminal: 'terminal-3',
  log: 88,
  time: new Date(OPENED).toISOString(),
} as const;
const VIEW: ConflictView = {
  ...{ id: 7, user: 1042, kind: 'name', field: 'name', terminal: 'terminal-3', state: 'open' },
  ...{ opened: new Date(OPENED).toISOString(), reasons: [] },
  ours: [{ field: 'name', value: 'Ada', bytes: 3, digest: '0a1b2c3d', origin: 'gateway', time: by.time }],
  theirs: [{ field: 'name', value: 'Augusta Ada King', bytes: 16, digest: '4e5f6071', ...by }],
  now: [{ field: 'name', value: 'Ada', bytes: 3, digest: '0a1b2c3d' }],
};

test('B4 conflicts tell times as people read them, as all tables do, and fit a terminal of 80 columns', () => {
  const list = showList([VIEW], COLUMNS);
  expect(list).toContain(`open   ${when(OPENED)}`);
  const shown = showConflict(VIEW, COLUMNS);
  expect(shown).toContain(`open since ${when(OPENED)}: name differs`);
  expect(shown).toMatch(/gateway +name +Ada +3 +0a1b2c3d/);
  expect(shown.replaceAll(/\s+/g, ' ')).toContain(`${when(OPENED)} at terminal-3, log #88`);
  for (const text of [list, shown]) {
    expect(text).not.toMatch(/\dT\d/);
    expect(text.split('\n').filter((line) => line.length > COLUMNS)).toEqual([]);
  }
});
