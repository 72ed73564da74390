import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { Client } from './cli/client.ts';
import { localSend } from './cli/transport.ts';
import type { AuditView } from './access/audit.ts';
import type { Service } from './service.ts';
import { reportText } from './http/report-text.ts';
import { api as bench } from './http/testing/bench.ts';
import { report } from './sites/reports.ts';
import type { ReportLine } from './sites/reports.ts';
import { openStore } from './store/open.ts';
import type { SiteEvent, SiteStore } from './store/sites.ts';
import { startMaster } from './testing/master.ts';

const MAIN = fileURLToPath(new URL('cli/main.ts', import.meta.url));
const CODE = 'open-sesame-41';
const FEW = 3000;
const MANY = 100_000;
const FROM = Date.UTC(2026, 0, 1);

async function master(): Promise<{ data: string; service: Service; api: Client }> {
  const data = mkdtempSync(join(tmpdir(), 'whorl-report-'));
  const service = await startMaster(data);
  onTestFinished(async () => {
    await service.stop();
    rmSync(data, { recursive: true, force: true });
  });
  const api = new Client(localSend(data));
  await api.send('POST', '/sites/lock/code', { code: CODE });
  await api.send('POST', '/sites/lock/open', { code: CODE });
  for (const [syncId, name] of [
    [2, 'north'],
    [3, 'south'],
  ] as const)
    await api.send('POST', '/sites', { syncId, name, user: name, password: 'correct horse battery' });
  return { data, service, api };
}

/** So many entries at two sites, one a second. */
async function fill(store: SiteStore, events: number): Promise<void> {
  for (let at = 0; at < events; at += 5000) {
    const rows = Array.from({ length: Math.min(5000, events - at) }, (_, index): SiteEvent => {
      const number = at + index;
      return {
        ...{ site: 2 + (number % 2), run: 'a', id: number + 1, time: FROM + number * 1000 },
        ...{
          type: 'access.granted',
          terminal: 'door-1',
          user: 1 + (number % 3),
          origin: 'terminal',
          data: {},
        },
      };
    });
    await store.mark(
      ['north', 'south'].map((name, index) => ({
        ...{ kind: 'events', name },
        events: rows.filter(({ site }) => site === 2 + index),
      })),
    );
  }
}

/** Runs `whorl` as a process of its own. */
function whorl(data: string, words: readonly string[]): Promise<{ exit: number; out: string; err: string }> {
  const most = { maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, '--data', data, ...words], most, (error, out, err) => {
      resolve({ exit: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test('S5 a report on the master covers all sites: who entered which door, by time, as CSV and JSON', async () => {
  const { data, service, api } = await master();
  const { gateway } = service;
  await gateway.operations.addUser(2, { set: { name: 'Müller, Bo' }, clear: [] });
  await gateway.operations.addUser(3, { set: { name: '=1+2' }, clear: [] });
  await fill(gateway.store.sites, FEW);
  await gateway.tell({
    ...{ type: 'access.granted', time: FROM + 1500, terminal: 'door-9', user: 2, origin: 'terminal' },
    data: { log: 1, at: FROM },
  });
  const csv = await whorl(data, ['sites', 'report', 'entries']);
  expect(csv.err).toBe('');
  const lines = csv.out.split('\r\n');
  expect(lines).toHaveLength(FEW + 3);
  expect(lines.slice(0, 4)).toEqual([
    'time,site,terminal,user,name',
    '2026-01-01T00:00:00.000Z,north,door-1,1,',
    '2026-01-01T00:00:01.000Z,south,door-1,2,"Müller, Bo"',
    '2026-01-01T00:00:01.500Z,hq,door-9,2,"Müller, Bo"',
  ]);
  expect(lines[4], 'no spreadsheet computes with a name').toBe(
    "2026-01-01T00:00:02.000Z,north,door-1,3,'=1+2",
  );
  const day = await api.get<ReportLine[]>('/sites/report/entries', {
    ...{ site: 'south', from: FROM + 1_000_000, until: FROM + 1_010_000 },
  });
  expect(day.map(({ site }) => site)).toEqual(Array.from({ length: 5 }, () => 'south'));
  expect(await api.get('/sites/report/enrolments')).toEqual([]);
  await expect(api.get('/sites/report/entries', { site: 'west' })).rejects.toMatchObject({
    view: { code: 'SITES_UNKNOWN' },
  });
  const audit = await api.get<AuditView[]>('/audit?deed=sites.report');
  expect(audit.map(({ target }) => target)).toContain('report entries of south');
}, 120_000);

test('a site that was removed keeps its name in reports', async () => {
  const { data, service, api } = await master();
  await fill(service.gateway.store.sites, 2);
  const ledger = await whorl(data, ['ledger']);
  expect(ledger.out, 'which is of other terminals than the report').toContain(
    '`whorl sites report holdings`',
  );
  await api.send('DELETE', '/sites/north');
  const whole = await api.get<ReportLine[]>('/sites/report/entries');
  expect(whole.map(({ site }) => site)).toEqual(['north (removed)', 'south']);
  const own = await api.get<ReportLine[]>('/sites/report/entries', { site: 'north' });
  expect(own.map(({ site }) => site)).toEqual(['north (removed)']);
});

test('S5 a sync id that is used anew: what the site before told stays under its name', async () => {
  const { service, api } = await master();
  const { sites: store } = service.gateway.store;
  await fill(store, 2);
  await api.send('DELETE', '/sites/north');
  const west = { syncId: 2, name: 'west', user: 'west', password: 'correct horse battery' };
  await api.send('POST', '/sites', west);
  // Its clock is a day behind: times tell nothing of who had the number when.
  const event = { site: 2, run: 'b', id: 1, time: FROM - 86_400_000, type: 'access.granted', data: {} };
  await store.mark([{ kind: 'events', name: 'west', events: [event] }]);
  const sites = async (site?: string): Promise<unknown[]> =>
    (await api.get<ReportLine[]>('/sites/report/entries', site === undefined ? {} : { site })).map(
      (line) => line['site'],
    );
  expect(await sites()).toEqual(['west', 'north (removed)', 'south']);
  expect(await sites('north')).toEqual(['north (removed)']);
  expect(await sites('west')).toEqual(['west']);
  const told = await api.get<SiteEvent[]>('/sites/events?site=2');
  expect(told.map(({ name }) => name)).toEqual(['north', 'west']);
  await api.send('DELETE', '/sites/west');
  await api.send('POST', '/sites', { ...west, name: 'east' });
  expect(await sites(), 'however often').toEqual(['west (removed)', 'north (removed)', 'south']);
  await api.send('DELETE', '/sites/east');
  await api.send('POST', '/sites', { ...west, name: 'north' });
  expect(await sites(), 'who comes back has what was theirs').toEqual(['west (removed)', 'north', 'south']);
});

test('S5 a report is read no faster than it is taken: of 100,000 events a few pages are in memory', async () => {
  const whole = openStore({ data: { memory: true } });
  onTestFinished(() => whole.close());
  const { sites: store } = whole;
  await fill(store, MANY);
  let [read, most, taken] = [0, 0, 0];
  const watched: SiteStore = new Proxy(store, {
    get: (target, name) => {
      if (name === 'siteReport')
        return async (filter: Parameters<SiteStore['siteReport']>[0]) => {
          const rows = await target.siteReport(filter);
          read += rows.length;
          most = Math.max(most, read - taken);
          return rows;
        };
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
  const wish = { kind: 'entries', site: undefined } as const;
  const pages = report({ store: watched, own: 'hq', sites: new Map(), wish });
  const slow = new Writable({
    highWaterMark: 1,
    write(piece: Buffer, _encoding, done) {
      taken += piece.toString().split('\r\n').length - 1;
      setImmediate(done);
    },
  });
  const over = new Promise((resolve) => slow.once('finish', resolve));
  reportText('csv', ['time', 'user'], pages).pipe(slow);
  await over;
  expect(taken).toBe(MANY + 1);
  expect(most).toBeLessThan(10_000);
}, 120_000);

test('S5 reports are for operators: who only looks is refused, and each one is in the audit trail', async () => {
  const { network, access, audit } = await bench();
  await access.addAccount({ name: 'root', role: 'admin', password: 'correct horse battery' });
  const ask = async (role: 'viewer' | 'operator'): Promise<number> => {
    const { token } = await access.makeToken({ account: 'root', label: role, role, days: 1 });
    const headers = { authorization: `Bearer ${token}` };
    return (await network.inject({ url: '/sites/report/holdings', headers })).statusCode;
  };
  expect(await ask('viewer')).toBe(403);
  expect(await ask('operator')).toBe(200);
  const deeds = await audit.list({ deed: 'sites.report', limit: 10 });
  expect(deeds.map(({ outcome }) => outcome)).toEqual(['AUTH_ROLE', 'asked']);
});
