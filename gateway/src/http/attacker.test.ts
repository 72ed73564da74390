import { readFileSync } from 'node:fs';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Access } from '../access/access.ts';
import { mayDo, ROLES } from '../settings/roles.ts';
import type { Role } from '../settings/roles.ts';
import { openStore } from '../store/open.ts';
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
  const token = await tokenOf(bench, 'admin');
  const [made] = await bench.access.tokens();
  await bench.access.revoke(made?.id ?? '');
  const changed = `${(await tokenOf(bench, 'admin')).slice(0, -2)}zz`;
  for (const bad of [token, changed, 'whorl_', 'x'.repeat(5000), '../../etc'])
    for (const route of ROUTES.filter(({ role }) => role !== 'anyone')) {
      const answer = await bench.network.inject(asking(route, bad));
      expect(answer.statusCode, `${route.name} with ${bad.slice(0, 20)}`).toBe(401);
    }
});

test.each(ROLES)('G6 the role %s opens exactly the routes that name it or a lesser one', async (role) => {
  const bench = await api();
  const token = await tokenOf(bench, role);
  for (const route of ROUTES.filter((one) => one.role !== 'anyone' && one.name !== 'session.logout')) {
    const answer = await bench.network.inject(asking(route, token));
    const may = route.role === 'anyone' || mayDo(role, route.role);
    if (may) expect(answer.statusCode, route.name).not.toBe(403);
    else expect(answer.json(), route.name).toMatchObject({ code: 'AUTH_ROLE' });
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
