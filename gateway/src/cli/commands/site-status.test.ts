import { expect, test } from 'vitest';
import type { SitesStatus } from '../../sites/operations.ts';
import { showSites } from './site-status.ts';

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
    ...{ name: 'hq', online: true, step: 'walk', left: 41_200, leftMs: 400_000, settings, trouble },
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
    '2026-11-21 10:00:00, 5 min ago, took 1.2 s',
    'walk: 41200 rows left, about 7 min',
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

test('S11 a status fits a screen of 80 columns and 24 lines, of a master with a dozen sites too', () => {
  for (const status of [SATELLITE, master(12)]) {
    const lines = showSites(status, NOW).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.join('\n'), 'nothing of the table was cut').not.toContain('…\n');
    expect(lines.length).toBeLessThanOrEqual(24);
  }
});
