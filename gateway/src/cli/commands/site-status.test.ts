import { expect, test } from 'vitest';
import type { SitesStatus } from '../../sites/operations.ts';
import { when } from '../table.ts';
import { showSites, siteLine } from './site-status.ts';

const NOW = Date.UTC(2026, 10, 21, 10, 5);

const settings = { intervalMinutes: 5, continuous: true, quiet: [], bytesPerSecond: 0 };
const trouble = {
  code: 'SITES_CLASH',
  text: 'sync id 2 is bound to another machine (a-machine-with-a-long-name.example, since 2026-01-01)',
  time: NOW - 60_000,
};

const SATELLITE: SitesStatus = {
  ...{ role: 'satellite', name: 'north', syncId: 2, aside: 3, lock: { set: true } },
  master: {
    ...{
      name: 'hq',
      url: 'mqtts://hq.example:8883',
      online: true,
      step: 'walk',
      left: 41_200,
      leftMs: 400_000,
      settings,
      trouble,
    },
    ...{ success: NOW - 300_000, tookMs: 1240, next: NOW + 300_000, waiting: 17, complete: false },
  },
};

function master(count: number): SitesStatus {
  const terminals = [{ name: 'door', state: 'online', pending: 0, verified: 9, failed: 0 } as const];
  return {
    ...{ role: 'master', name: 'hq', syncId: 1, aside: 0, lock: { set: false } },
    sites: Array.from({ length: count }, (_, index) => ({
      ...{ syncId: index + 2, name: `a-site-with-a-name-of-32-chars-${index}`, url: '', user: 'x' },
      ...{ online: index > 0, success: NOW - 90_000, tookMs: 1_000_000, held: 50_000 },
      summary: { users: 50_000, conflicts: 0, aside: 1, terminals },
      ...(index === 0 ? { trouble } : {}),
    })),
  };
}

test('S11 the status of a satellite tells last success and how long it took, queue, step, rows and time that remain, and an error with code, text and remedy', () => {
  const shown = showSites(SATELLITE, NOW);
  for (const part of [
    'north is satellite 2 of hq.',
    'hq answers',
    `${when(NOW - 300_000)}, 5 min ago, took 1.2 s`,
    'walk: 41,200 rows left, about 7 min',
    '17 changes and events to go up',
    'SITES_CLASH: sync id 2 is bound',
    'whorl sites reset NAME',
    '3 rows wait apart',
    'Settings   locked',
  ])
    expect(shown.replaceAll(/\n\s+/g, ' ')).toContain(part);
});

test('a satellite that its master refuses is told so, and not that nobody answers', () => {
  const { master: above } = SATELLITE;
  const shown = (code: string): string =>
    above === undefined
      ? ''
      : showSites({ ...SATELLITE, master: { ...above, online: false, trouble: { ...trouble, code } } }, NOW);
  expect(shown('SITES_CLASH')).toContain('hq is there, and does not let this site in');
  expect(shown('SITES_LINK')).toContain('hq does not answer');
});

const knock = {
  syncId: 3,
  user: 'south',
  from: '192.0.2.7',
  code: 'SITES_UNKNOWN',
  time: NOW - 5000,
  tries: 4,
};

test('who knocks at the master without being in its list is told: who, when, from where, and what to do', () => {
  const shown = showSites({ ...master(1), strangers: [{ ...knock, was: 'north' }] }, NOW).replaceAll(
    /\n\s+/g,
    ' ',
  );
  expect(shown).toContain(
    'Refused    sync id 3, north until it was removed, user south, from 192.0.2.7: SITES_UNKNOWN, 4 tries, the last 5 s ago',
  );
  expect(shown).toContain('`whorl sites add NAME --id 3 --user south` lets it in');
});

test('S10 a master whose database is a backup says so, of when it is, and who has not told again yet what was lost', () => {
  const shown = (waiting: string[]): string =>
    showSites(
      { ...master(4), restored: { noticed: NOW - 60_000, until: NOW - 90_000_000, waiting } },
      NOW,
    ).replaceAll(/\n\s+/g, ' ');
  expect(shown(['a', 'b', 'c', 'd', 'e'])).toContain(
    `Restored   this database is a backup of ${when(NOW - 90_000_000)}; noticed 60 s ago to tell again what it has lost: a, b, c, d and 1 more`,
  );
  expect(shown([])).toContain('all satellites have told again what it had lost');
});

test('the status of a gateway has its sites in one line', () => {
  const { master: above } = SATELLITE;
  if (above === undefined) throw new Error('a satellite has a master');
  const { trouble: _, ...fine } = above;
  const since = NOW - 60_000;
  const line = (one: SitesStatus['master']): string =>
    siteLine({ ...SATELLITE, ...(one === undefined ? {} : { master: one }) }) ?? '';
  expect(line({ ...fine, since, waiting: 1 })).toBe(
    `Sites: satellite 2 of hq at mqtts://hq.example:8883, connected since ${when(since)}, 1 row to go up, 3 rows wait apart; \`whorl sites\` tells more`,
  );
  expect(line({ ...above, online: false })).toContain(', not connected (SITES_CLASH), 17 rows to go up,');
  expect(siteLine({ ...master(3), strangers: [knock] })).toBe(
    'Sites: master of 3 satellites, 2 online, 1 unknown site knocking; `whorl sites` tells more',
  );
  expect(siteLine({ role: 'standalone', name: 'alone', aside: 0 })).toBeUndefined();
});

test('S11 a status fits a screen of 80 columns and 24 lines, of a master with a dozen sites too', () => {
  const strangers = Array.from({ length: 5 }, () => knock);
  for (const status of [SATELLITE, { ...master(3), strangers }, master(12)]) {
    const lines = showSites(status, NOW).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join('\n'), 'nothing of the table was cut').not.toContain('…\n');
    expect(lines.length).toBeLessThanOrEqual(24);
  }
});
