import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { AuditView } from './access/audit.ts';
import { AnswerError, Client } from './cli/client.ts';
import { localSend } from './cli/transport.ts';
import type { Service } from './service.ts';
import type { SitePreview, SitesStatus, SiteView } from './sites/operations.ts';
import { startMaster } from './testing/master.ts';

const MAIN = fileURLToPath(new URL('cli/main.ts', import.meta.url));
const CODE = 'open-sesame-41';

// Eight users of group 1, twelve of group 2.
const data = mkdtempSync(join(tmpdir(), 'whorl-scope-'));
const api = new Client(localSend(data));
let service: Service;

beforeAll(async () => {
  service = await startMaster(data);
  const ids = Array.from({ length: 20 }, (_, index) => index + 1);
  await Promise.all(ids.map((id) => api.send('POST', '/users', { id, groups: [id <= 8 ? 1 : 2] })));
  await api.send('POST', '/sites/lock/code', { code: CODE });
  await unlock();
}, 60_000);
afterAll(async () => {
  await service.stop();
  rmSync(data, { recursive: true, force: true });
});

function unlock(): Promise<unknown> {
  return api.send('POST', '/sites/lock/open', { code: CODE, minutes: 5 });
}

/** Adds a site that group 1 reaches. */
async function add(syncId: number, name: string): Promise<void> {
  const site = { syncId, name, user: name, password: 'correct horse battery' };
  await api.send('POST', '/sites', { ...site, groups: [1] });
}

async function listed(name: string): Promise<SiteView | undefined> {
  return (await api.get<SitesStatus>('/sites')).sites?.find((one) => one.name === name);
}

/** @returns the code that it was refused with, and its text; `undefined` when it was done */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof AnswerError ? `${error.view.code}: ${error.view.message}` : String(error);
  }
}

test('B13 at the command line a change of a site is looked at, refused, confirmed; and a site that is removed keeps whom it has', async () => {
  await add(2, 'west');
  const whorl = (...words: string[]): Promise<{ exit: number; out: string; err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [MAIN, '--data', data, ...words], (error, out, err) => {
        resolve({ exit: error === null ? 0 : Number(error.code), out, err });
      });
    });
  const file = join(data, 'far.password');
  writeFileSync(file, 'a password of theirs\n', { mode: 0o600 });
  const added = ['sites', 'add', 'far', '--id', '9', '--groups', '4', '--password-file', file];
  expect(await whorl(...added, '--address', 'https://far.example:7410')).toMatchObject({ exit: 0, err: '' });
  expect(await whorl('sites', 'set', 'far', '--address', 'https://f.example:7410')).toMatchObject({
    exit: 0,
  });
  expect((await whorl('sites', 'list')).out).toContain('https://f.example:7410');
  const set = ['sites', 'set', 'west', '--groups', '2'];
  const [dry, json, refused, leaving] = await Promise.all([
    whorl(...set, '--dry-run'),
    whorl('--json', ...set, '--dry-run', '--after', '19'),
    whorl(...set),
    whorl('sites', 'remove', 'west', '--dry-run'),
  ]);
  expect(dry.out).toMatch(/SITE +USERS +ADDED +OVERWRITTEN +REMOVED +LEFT\n.*\nwest +8 +12 +0 +8 +0\n/);
  expect(dry.out).toMatch(/USER +SITE +WOULD BE\n.*\n1 +west +removed\n/);
  const preview = JSON.parse(json.out) as SitePreview;
  expect(preview).toMatchObject({ guarded: true, users: [{ user: 20, site: 'west', effect: 'added' }] });
  expect(dry.out).toContain(`has to be confirmed: --confirm ${preview.confirm}`);
  expect(refused).toMatchObject({ exit: 1, out: '' });
  expect(refused.err).toMatch(/^GUARD_EXCEEDED: .*8 of 8 users from west/);
  expect(leaving.out).toMatch(/\nwest +8 +0 +0 +0 +8\n/);
  expect(leaving.out).toContain('Left: the site keeps them as they are');
  expect(await listed('west'), 'nothing is done by looking').toMatchObject({ groups: [1] });
  expect(await whorl(...set, '--confirm', preview.confirm)).toMatchObject({
    exit: 0,
    out: 'west is changed.\n',
  });
  expect(await listed('west')).toMatchObject({ groups: [2] });
}, 60_000);

test('B13 the guard of a site is that of the settings: what it lets pass, wider groups, and what is no matter of groups need no code', async () => {
  await add(3, 'south');
  onTestFinished(async () => {
    await api.send('PATCH', '/settings', { guardPercent: 10 });
  });
  const set = (body: object): Promise<string | undefined> => refusal(api.send('PATCH', '/sites/south', body));
  expect(await set({ url: 'https://south' })).toBeUndefined();
  expect(await set({ groups: null })).toBeUndefined();
  expect(await set({ groups: [2] }), '8 of 20').toMatch(/^GUARD_EXCEEDED/);
  await api.send('PATCH', '/settings', { guardPercent: 50 });
  expect(await set({ groups: [2] })).toBeUndefined();
  expect(await set({ groups: [] })).toMatch(/^GUARD_EXCEEDED/);
  await api.send('PATCH', '/settings', { guardPercent: 100 });
  expect(await set({ groups: [] })).toBeUndefined();
  expect(await listed('south')).toMatchObject({ groups: [] });
}, 60_000);

test('B13 a dry run of the groups of a site tells whom they add and remove; more than the guard is done as it was shown, or refused', async () => {
  await add(4, 'north');
  const set = (query: string, body: object): Promise<SitePreview> =>
    api.send('PATCH', `/sites/north${query}`, body);
  await api.send('POST', '/sites/lock/close');
  const dry = await set('?dryRun=true&limit=3', { groups: [2] });
  expect(dry).toMatchObject({
    guarded: true,
    sites: [{ site: 'north', users: 8, added: 12, overwritten: 0, removed: 8, left: 0 }],
    users: [1, 2, 3].map((user) => ({ user, site: 'north', effect: 'removed' })),
    next: 3,
  });
  const rest = await set('?dryRun=true&after=7', { groups: [2] });
  expect(rest.users.map(({ user, effect }) => `${user} ${effect}`).slice(0, 2)).toEqual([
    '8 removed',
    '9 added',
  ]);
  expect(rest).toMatchObject({ confirm: dry.confirm });
  expect((await set('?dryRun=true', { groups: [1] })).sites, 'nothing new').toEqual([]);
  expect(
    await refusal(set(`?confirm=${dry.confirm}`, { groups: [2] })),
    'only looking needs no code',
  ).toMatch(/^SITES_LOCKED/);
  await unlock();

  expect(await refusal(set('', { groups: [2], url: 'https://north' }))).toBe(
    'GUARD_EXCEEDED: the change removes 8 of 8 users from north',
  );
  expect(await refusal(set(`?confirm=${dry.confirm}`, { groups: [3] })), 'of another change').toMatch(
    /^GUARD_CHANGED/,
  );
  await api.send('PATCH', '/users/9', { groups: [1] });
  expect(await listed('north')).toMatchObject({ groups: [1], url: '' });
  const { confirm } = await set('?dryRun=true', { groups: [2] });
  expect(await refusal(set(`?confirm=${dry.confirm}`, { groups: [2] }))).toMatch(
    /^GUARD_CHANGED: the change removes 9 of 9 users from north/,
  );
  expect(await refusal(set(`?confirm=${confirm}`, { groups: [2] }))).toBeUndefined();
  expect(await listed('north')).toMatchObject({ groups: [2] });

  const audit = await api.get<AuditView[]>('/audit?deed=sites.edit');
  const norths = audit.filter(({ target }) => target === 'site north');
  expect(norths.map(({ outcome, detail }) => [outcome, detail])).toEqual([
    ['SITES_LOCKED', { groups: [2], confirmed: true }],
    ['GUARD_EXCEEDED', { groups: [2], url: 'https://north' }],
    ['GUARD_CHANGED', { groups: [3], confirmed: true }],
    ['GUARD_CHANGED', { groups: [2], confirmed: true }],
    ['done', { groups: [2], confirmed: true }],
  ]);
}, 60_000);
