import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { VirtualClock, WhorlError } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { statusOf } from '../mqtt/testing/bench.ts';
import { metricNames, withTables } from './document.ts';
import { Metrics } from './metrics.ts';

const file = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const read = (name: string): string => readFileSync(file(name), 'utf8');
const snapshot = {
  status: statusOf(),
  pulls: new Map([['door', 3]]),
  conflicts: 2,
  syncs: [],
  registers: [],
  now: 0,
};

test('S11 a master has figures of each satellite, a satellite of its master, and a gateway without others none', async () => {
  const metrics = new Metrics(new VirtualClock(), { process: false });
  const common = { name: 'north', online: true, success: 5000, tookMs: 1500 };
  const north = { ...common, syncId: 2, url: '', user: 'north', held: 4 };
  const summary = { users: 4, conflicts: 0, aside: 3, terminals: [] };
  const master = { role: 'master', name: 'hq', aside: 0, sites: [{ ...north, summary }] } as const;
  const above = await metrics.text({ ...snapshot, sites: master });
  for (const line of ['up{site="north"} 1', 'success_seconds{site="north"} 5', 'aside_rows{site="north"} 3'])
    expect(above).toContain(`whorl_site_${line}`);
  const trouble = { code: 'SITES_LINK', text: '', time: 1 };
  const settings = { intervalMinutes: 5, continuous: true, quiet: [], bytesPerSecond: 0 };
  const own = {
    ...common,
    name: 'hq',
    url: '',
    online: false,
    trouble,
    settings,
    waiting: 7,
    complete: true,
  };
  const below = await metrics.text({
    ...snapshot,
    sites: { role: 'satellite', name: 'north', syncId: 2, aside: 1, master: own },
  });
  for (const line of [
    'up{site="hq"} 0',
    'trouble{site="hq"} 1',
    'waiting_rows{site="hq"} 7',
    'aside_rows{site="hq"} 1',
  ])
    expect(below).toContain(`whorl_site_${line}`);
  expect(await metrics.text(snapshot)).not.toContain('whorl_site_up{');
});

/** Metrics that an expression names. */
const named = (expression: string): string[] => expression.match(/\bwhorl_\w+/g) ?? [];

test('G4 every line and terminal has its figures, and counters do not grow by being asked', async () => {
  const metrics = new Metrics(new VirtualClock(), { process: false });
  const first = await metrics.text(snapshot);
  expect(first).toContain('whorl_line_frames_in_total{line="floor"} 1');
  expect(first).toContain('whorl_terminal_exchanges_total{line="floor",terminal="door"} 1');
  expect(first).toContain('whorl_ledger_rows{line="floor",terminal="door",state="failed"} 0');
  expect(first).toContain('whorl_pulls_open{line="floor",terminal="door"} 3');
  expect(first).toContain('whorl_conflicts_open 2');
  expect(first).toMatch(/# TYPE whorl_line_frames_in_total counter/);
  expect(await metrics.text(snapshot)).toBe(first);
});

test('G4 a line or terminal that is in the configuration no more has no figures', async () => {
  const metrics = new Metrics(new VirtualClock(), { process: false });
  await metrics.text(snapshot);
  const text = await metrics.text({ ...snapshot, status: statusOf({ lines: [], terminals: [] }) });
  expect(text).not.toContain('door');
});

test('G4 how long the database takes and why it fails is counted; the store does as before', async () => {
  const clock = new VirtualClock();
  const metrics = new Metrics(clock, { process: false });
  const full = new WhorlError('STORE_FULL', 'no room');
  const store = metrics.watched({
    name: 'memory',
    read: (id: number) => Promise.resolve(id + 1),
    write: () => Promise.reject(full),
  });
  expect(await store.read(1)).toBe(2);
  await expect(store.write()).rejects.toBe(full);
  expect(store.name).toBe('memory');
  const text = await metrics.text(snapshot);
  expect(text).toContain('whorl_store_seconds_count{operation="read"} 1');
  expect(text).toContain('whorl_store_errors_total{operation="write",code="STORE_FULL"} 1');
});

test('G4 METRICS.md is as npm run spec prints it', () => {
  expect(read('METRICS.md')).toBe(withTables(read('METRICS.md')));
});

const rulesSchema = z.strictObject({
  groups: z
    .array(
      z.strictObject({
        name: z.string(),
        rules: z
          .array(
            z.strictObject({
              alert: z.string().regex(/^Whorl\w+$/),
              expr: z.string().min(1),
              for: z
                .string()
                .regex(/^\d+[smhd]$/)
                .optional(),
              labels: z.strictObject({ severity: z.enum(['info', 'warning', 'critical']) }),
              annotations: z.strictObject({ summary: z.string().min(1), description: z.string().min(1) }),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

test('G4 the alert rules load, and speak of metrics that there are', () => {
  const { groups } = rulesSchema.parse(parse(read('monitoring/alerts.yaml')));
  const rules = groups.flatMap((group) => group.rules);
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
  const known = metricNames();
  for (const { alert, expr } of rules) for (const name of named(expr)) expect(known, alert).toContain(name);
});

test.skipIf(spawnSync('promtool', ['--version']).error !== undefined)(
  'G4 promtool takes the alert rules',
  () => {
    execFileSync('promtool', ['check', 'rules', file('monitoring/alerts.yaml')]);
  },
);

const panelSchema = z.looseObject({
  id: z.int(),
  title: z.string().min(1),
  type: z.string(),
  gridPos: z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z.array(z.looseObject({ expr: z.string(), refId: z.string() })).optional(),
});
const dashboardSchema = z.looseObject({
  uid: z.string(),
  title: z.string(),
  schemaVersion: z.int(),
  templating: z.looseObject({ list: z.array(z.looseObject({ name: z.string() })) }),
  panels: z.array(panelSchema).min(1),
});

test('G4 the dashboard loads, and shows metrics and variables that there are', () => {
  const { panels, templating } = dashboardSchema.parse(JSON.parse(read('monitoring/dashboard.json')));
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const known = metricNames();
  const variables = [...templating.list.map(({ name }) => name), '__rate_interval'];
  for (const { title, targets = [] } of panels)
    for (const { expr } of targets) {
      expect(named(expr), title).not.toEqual([]);
      for (const name of named(expr)) expect(known, title).toContain(name);
      for (const [, name = ''] of expr.matchAll(/\$(\w+)/g)) expect(variables, title).toContain(name);
    }
});
