import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { api } from './testing/bench.ts';

const PASSWORD = 'correct horse battery';

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'whorl-http-backup-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

test('G6 G7 a backup is made where the gateway is, not from afar, and both are written down', async () => {
  const { app, network, access, audit } = await api();
  const out = directory();
  const file = join(out, 'site.whorl');
  await access.addAccount({ name: 'root', role: 'admin', password: PASSWORD });
  const { token } = await access.login('root', PASSWORD, 'here');
  const headers = { authorization: `Bearer ${token}` };
  const asked = { method: 'POST', url: '/backups', payload: { file } } as const;
  const afar = await network.inject({ ...asked, headers });
  expect(afar.json()).toMatchObject({
    code: 'AUTH_ROLE',
    message: expect.stringContaining('own machine') as string,
  });
  expect(readdirSync(out)).toEqual([]);
  const relative = await app.inject({ ...asked, payload: { file: '../site.whorl' } });
  expect(relative.json()).toMatchObject({ code: 'REQUEST_INVALID' });
  expect((await app.inject(asked)).json()).toMatchObject({ file, users: 0 });
  expect((await app.inject(asked)).json()).toMatchObject({ code: 'BACKUP_EXISTS' });
  expect(await audit.list({ limit: 9, deed: 'backups.make' })).toMatchObject([
    { who: 'root', outcome: 'AUTH_ROLE', detail: { file } },
    { who: 'machine', outcome: 'REQUEST_INVALID' },
    { who: 'machine', outcome: 'done', detail: { file } },
    { who: 'machine', outcome: 'BACKUP_EXISTS' },
  ]);
});

test('B17 an erasure says what was destroyed, and stays in the audit trail with why and whose', async () => {
  const { app, audit, gateway } = await api();
  await gateway.operations.addUser(7, { set: { name: 'Grace' }, clear: [] });
  const erase = { method: 'POST', url: '/users/7/erase', payload: { reason: 'request 17' } } as const;
  expect((await app.inject({ ...erase, payload: {} })).json()).toMatchObject({ code: 'REQUEST_INVALID' });
  const answer = await app.inject(erase);
  const { keys, unreached } = answer.json<{ keys: string[]; unreached: string[] }>();
  expect([keys.length, unreached]).toEqual([1, []]);
  expect((await app.inject({ method: 'GET', url: '/users/7' })).statusCode).toBe(404);
  const trail = await audit.list({ limit: 9 });
  expect(trail.filter(({ deed }) => deed === 'users.erased')).toMatchObject([
    { target: 'user 7', detail: { reason: 'request 17', keys } },
  ]);
  expect(JSON.stringify(trail)).not.toContain('Grace');
});

test('G6 G7 the master key is changed by an admin, as a job; what is told of it never holds a key', async () => {
  const { app, network, access, audit, gateway } = await api();
  await gateway.operations.addUser(7, { set: { name: 'Grace' }, clear: [] });
  await access.addAccount({ name: 'root', role: 'admin', password: PASSWORD });
  const made = await access.makeToken({ account: 'root', label: 'x', role: 'installer', days: 1 });
  const headers = { authorization: `Bearer ${made.token}` };
  for (const [method, url] of [
    ['GET', '/vault'],
    ['POST', '/vault/rotate'],
  ] as const)
    expect((await network.inject({ method, url, headers })).json()).toMatchObject({ code: 'AUTH_ROLE' });
  const begun = await app.inject({ method: 'POST', url: '/vault/rotate', payload: { dataKeys: true } });
  expect(begun.statusCode).toBe(202);
  const second = await app.inject({ method: 'POST', url: '/vault/rotate', payload: {} });
  expect([202, 409]).toContain(second.statusCode);
  const { id } = begun.json<{ id: number }>();
  const job = (): Promise<{ state: string }> =>
    app.inject({ method: 'GET', url: `/jobs/${id}` }).then((answer) => answer.json());
  await expect
    .poll(job)
    .toMatchObject({ kind: 'rotate', state: 'done', result: { unreached: 0, renewed: true } });
  const status = await app.inject({ method: 'GET', url: '/vault' });
  expect(status.json()).toMatchObject({
    master: { kind: 'memory', keys: 2 },
    former: [],
    unreached: [],
    todo: [],
  });
  const told = await audit.list({ limit: 9, deed: 'vault.rotated' });
  expect(told[0]).toMatchObject({ who: 'machine', target: 'master key 2' });
  expect((await gateway.store.events({ limit: 9, type: 'vault.rotated' }))[0]).toMatchObject({
    data: { number: 2 },
  });
  expect((await gateway.store.events({ limit: 9, type: 'vault.keys.renewed' }))[0]).toMatchObject({
    data: { keys: 1 },
  });
  expect((await gateway.store.user(7))?.version).toBe(1);
});
