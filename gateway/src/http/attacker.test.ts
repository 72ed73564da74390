import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeUser, readRecord, seededRandom, systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Access } from '../access/access.ts';
import { mayDo, ROLES } from '../settings/roles.ts';
import type { Role } from '../settings/roles.ts';
import { openStore } from '../store/open.ts';
import { restore } from '../store/restore.ts';
import type { Route } from './route.ts';
import { ROUTES } from './routes.ts';
import { api } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';

const PASSWORD = 'correct horse battery';
const TOKEN = /whorlr?_[\w-]{43}/;

/** A request to a route that would be let in, whatever it finds then. */
function asking({ method, path }: Route, token: string | undefined) {
  const url = path.replaceAll(/:(\w+)/g, (_, name: string) => (name === 'name' ? 'nobody' : '999'));
  return {
    method,
    url,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  };
}

async function tokenOf(bench: Bench, role: Role, days = 1): Promise<string> {
  const names = (await bench.access.accounts()).map(({ name }) => name);
  if (!names.includes('root'))
    await bench.access.addAccount({ name: 'root', role: 'admin', password: PASSWORD });
  return (await bench.access.makeToken({ account: 'root', label: 'test', role, days })).token;
}

test('G6 without a token nothing can be asked but to log in', async () => {
  const bench = await api();
  const open = ROUTES.filter((route) => route.role === 'anyone').map(({ name }) => name);
  expect(open.sort()).toEqual(['session.login', 'session.refresh', 'session.setup']);
  for (const route of ROUTES.filter(({ role }) => role !== 'anyone')) {
    const answer = await bench.network.inject(asking(route, undefined));
    expect(answer.json(), route.name).toMatchObject({ code: 'AUTH_NEEDED' });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer');
  }
});

test('G6 a token that expired, was revoked, changed or made up opens nothing', async () => {
  const bench = await api();
  const expired = await tokenOf(bench, 'admin', -1);
  const token = await tokenOf(bench, 'admin');
  const made = (await bench.access.tokens()).find(({ expires }) => expires > systemClock.wallTime());
  await bench.access.revoke(made?.id ?? '');
  const changed = `${(await tokenOf(bench, 'admin')).slice(0, -2)}zz`;
  for (const bad of [expired, token, changed, 'whorl_', 'x'.repeat(5000), '../../etc'])
    for (const route of ROUTES.filter(({ role }) => role !== 'anyone')) {
      const answer = await bench.network.inject(asking(route, bad));
      expect(answer.statusCode, `${route.name} with ${bad.slice(0, 20)}`).toBe(401);
    }
});

test.each(ROLES)('G6 the role %s opens exactly the routes that name it or a lesser one', async (role) => {
  const bench = await api();
  const token = await tokenOf(bench, role);
  for (const route of ROUTES.filter((one) => one.role !== 'anyone' && one.name !== 'session.logout')) {
    const may = route.role === 'anyone' || mayDo(role, route.role);
    // What is let in may have no end.
    const answer = await bench.network.inject({ ...asking(route, token), payloadAsStream: may });
    if (may) {
      answer.stream().destroy();
      expect(answer.statusCode, route.name).not.toBe(403);
    } else expect(answer.json(), route.name).toMatchObject({ code: 'AUTH_ROLE' });
    expect(answer.statusCode, route.name).not.toBe(401);
  }
});

test('G6 a viewer changes nothing, and sees neither templates nor accounts nor tokens', async () => {
  const may = ROUTES.filter(({ role }) => role === 'viewer');
  const changing = may.filter(({ method }) => method !== 'GET').map(({ name }) => name);
  expect(changing.sort(), 'only what is their own').toEqual(['me.password', 'session.logout']);
  const areas = new Set(may.map(({ name }) => name.split('.')[0]));
  for (const closed of ['accounts', 'tokens', 'audit']) expect(areas).not.toContain(closed);
  expect(may.map(({ name }) => name)).not.toContain('users.record');
});

test('G6 who guesses passwords is slowed down, whichever name they try', async () => {
  const bench = await api();
  await tokenOf(bench, 'viewer');
  const codes = await Promise.all(
    Array.from({ length: 15 }, async (_, n) => {
      const payload = { name: n % 2 === 0 ? 'root' : `name${n}`, password: `guess number ${n}` };
      const answer = await bench.network.inject({ method: 'POST', url: '/login', payload });
      return answer.json<{ code: string }>().code;
    }),
  );
  const wrong = codes.filter((code) => code === 'AUTH_WRONG').length;
  const slowed = codes.filter((code) => code === 'REQUEST_RATE').length;
  expect(wrong + slowed).toBe(15);
  expect(slowed).toBeGreaterThanOrEqual(4);
}, 60_000);

test('G6 strangers guessing for one account are slowed down together, and lock nobody out', async () => {
  const bench = await api();
  await tokenOf(bench, 'viewer');
  const login = async (remoteAddress: string, password: string): Promise<string | undefined> => {
    const payload = { name: 'root', password };
    const answer = await bench.network.inject({ method: 'POST', url: '/login', payload, remoteAddress });
    return answer.json<{ code?: string }>().code;
  };
  expect(await login('192.0.2.1', PASSWORD)).toBeUndefined();
  const codes: (string | undefined)[] = [];
  for (let n = 0; n < 24; n += 1) codes.push(await login(`198.51.100.${n}`, 'a guess of theirs'));
  expect(new Set(codes.slice(0, 15))).toEqual(new Set(['AUTH_WRONG']));
  expect(codes.at(-1), 'each from an address of its own').toBe('REQUEST_RATE');
  expect(await login('203.0.113.9', PASSWORD), 'from where nobody logged in before').toBe('REQUEST_RATE');
  expect(await login('192.0.2.1', PASSWORD), 'from where they did').toBeUndefined();
}, 60_000);

test('G6 who asks without end is slowed down, and told when to come again', async () => {
  const bench = await api();
  const answers = await Promise.all(
    Array.from({ length: 1300 }, () => bench.network.inject({ method: 'GET', url: '/status' })),
  );
  const slowed = answers.filter(({ statusCode }) => statusCode === 429);
  expect(slowed.length).toBeGreaterThan(0);
  expect(Number(slowed[0]?.headers['retry-after'])).toBeGreaterThan(0);
});

test('G6 G7 a stolen database file holds no password, no token, and no hash to guess passwords with', async () => {
  const data = mkdtempSync(join(tmpdir(), 'whorl-stolen-'));
  onTestFinished(() => {
    rmSync(data, { recursive: true, force: true });
  });
  const store = openStore({ data });
  const access = new Access({ store: store.access, clock: systemClock, random: seededRandom(5) });
  await access.addAccount({ name: 'root', role: 'admin', password: PASSWORD });
  const session = await access.login('root', PASSWORD, 'here');
  const made = await access.makeToken({ account: 'root', label: 'x', role: 'admin', days: 1 });
  await store.close();
  const file = readFileSync(join(data, 'whorl.db')).toString('latin1');
  expect(file).toContain('root');
  for (const secret of [PASSWORD, session.token, session.refresh, made.token, '$argon2id$'])
    expect(file).not.toContain(secret);
  expect(file).not.toMatch(TOKEN);
});

test('G6 a role that was changed in the stolen file and put back makes the account useless, not mighty', async () => {
  const data = mkdtempSync(join(tmpdir(), 'whorl-stolen-'));
  onTestFinished(() => {
    rmSync(data, { recursive: true, force: true });
  });
  const first = openStore({ data });
  const parts = { clock: systemClock, random: seededRandom(5) };
  const access = new Access({ store: first.access, ...parts });
  await access.addAccount({ name: 'eve', role: 'viewer', password: PASSWORD });
  await first.close();
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(join(data, 'whorl.db'));
  db.exec("UPDATE accounts SET role = 'admin'");
  db.close();
  const second = openStore({ data });
  onTestFinished(() => second.close());
  const again = new Access({ store: second.access, ...parts });
  await expect(again.login('eve', PASSWORD, 'here')).rejects.toMatchObject({ code: 'VAULT_SEALED' });
});

const TEMPLATE = Buffer.from('TEMPLATE-THAT-NOBODY-MAY-READ'.repeat(4));
const NAME = 'Ada-with-a-name-to-search-for';

/** A gateway's disk with one user on it, and a backup elsewhere. */
async function robbed(): Promise<{ readonly data: string; readonly out: string; readonly backup: string }> {
  const [data, out] = [
    mkdtempSync(join(tmpdir(), 'whorl-robbed-')),
    mkdtempSync(join(tmpdir(), 'whorl-out-')),
  ];
  onTestFinished(() => {
    for (const directory of [data, out]) rmSync(directory, { recursive: true, force: true });
  });
  const store = openStore({ data });
  const finger = { format: 1, quality: 9, first: TEMPLATE, second: TEMPLATE };
  const record = readRecord(
    encodeUser({ id: 7, name: NAME, pin: TEMPLATE.subarray(0, 64), 'finger.0': finger }),
  );
  const next = { record, version: 1, provenance: new Map() };
  await store.saveUser({ user: 7, from: 0, next, ledger: [], events: [], time: 5 });
  await store.savePairings(new Map([['S', { terminal: 'door', key: TEMPLATE.subarray(0, 32) }]]), []);
  const access = new Access({ store: store.access, clock: systemClock, random: seededRandom(5) });
  await access.addAccount({ name: 'root', role: 'admin', password: PASSWORD });
  await access.login('root', PASSWORD, 'here');
  const backup = join(out, 'site.whorl');
  await store.backups.make(backup);
  await store.close();
  return { data, out, backup };
}

function every(directory: string): string {
  return readdirSync(directory)
    .map((name) => readFileSync(join(directory, name)).toString('latin1'))
    .join();
}

test('G7 B17 a stolen backup, its data keys with it, tells ids and times, and of nobody who they are', async () => {
  const { data, out, backup } = await robbed();
  for (const secret of [TEMPLATE.subarray(0, 12).toString(), NAME, PASSWORD, '$argon2id$'])
    expect(every(out)).not.toContain(secret);
  expect(every(out)).not.toMatch(TOKEN);
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(backup, { readOnly: true });
  expect(db.prepare('SELECT id, name, groups FROM users').all()).toEqual([{ id: 7, name: '', groups: '[]' }]);
  expect(db.prepare('SELECT * FROM keys').all()).toEqual([]);
  expect(db.prepare('SELECT * FROM tokens').all()).toEqual([]);
  db.close();
  const thief = mkdtempSync(join(tmpdir(), 'whorl-thief-'));
  onTestFinished(() => {
    rmSync(thief, { recursive: true, force: true });
  });
  const attempt = { data: thief, file: backup, now: 9, replace: true };
  await expect(restore(attempt)).rejects.toMatchObject({ code: 'VAULT_KEY_MISSING' });
  writeFileSync(join(thief, 'guess'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  const guess = { ...attempt, masterKey: join(thief, 'guess') };
  await expect(restore(guess)).rejects.toMatchObject({ code: 'BACKUP_MASTER' });
  expect(readdirSync(thief)).toEqual(['guess']);
  // Whoever has the master key, too, has everything but what is of the moment: that is why it is kept apart.
  const store = await restore({ ...attempt, masterKey: join(data, 'master.key') }).then(() =>
    openStore({ data: thief }),
  );
  onTestFinished(() => store.close());
  expect(await store.users({ limit: 9 })).toMatchObject([{ id: 7, name: NAME }]);
  expect(await store.access.tokens()).toEqual([]);
});

test('G7 a stolen database file opens with its master key only; with it, all but passwords and tokens are the thief’s', async () => {
  const { data } = await robbed();
  const thief = mkdtempSync(join(tmpdir(), 'whorl-thief-'));
  onTestFinished(() => {
    rmSync(thief, { recursive: true, force: true });
  });
  copyFileSync(join(data, 'whorl.db'), join(thief, 'whorl.db'));
  expect(every(thief)).not.toContain(TEMPLATE.subarray(0, 12).toString());
  expect(() => openStore({ data: thief })).toThrow('master.key');
  writeFileSync(join(thief, 'master.key'), Buffer.alloc(32, 7).toString('base64'), { mode: 0o600 });
  expect(() => openStore({ data: thief })).toThrow('put back the one that it was sealed with');
  copyFileSync(join(data, 'master.key'), join(thief, 'master.key'));
  const store = openStore({ data: thief });
  onTestFinished(() => store.close());
  expect((await store.user(7))?.record.fields.size).toBeGreaterThan(0);
  expect((await store.access.account('root'))?.password).toMatch(/^\$argon2id\$/);
  expect(JSON.stringify(await store.access.tokens())).not.toMatch(TOKEN);
});
