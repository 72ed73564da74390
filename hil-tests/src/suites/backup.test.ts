import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { restoreBackup } from '@whorl/gateway';
import { expect, onTestFinished, test } from 'vitest';
import { ALL, allOnline, atRest, verifiedOn } from '../rig/behaviour.ts';
import { memoryRig } from '../rig/memory.ts';
import { realRig } from '../rig/real.ts';
import { SMALL_SITE } from '../rig/rig.ts';

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'whorl-restore-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

test('S10 B11 users enrolled after the backup come back from the terminals; nothing is overwritten', async () => {
  const data = directory();
  const rig = await memoryRig(SMALL_SITE, { data });
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const { operations } = rig.gateway;
  await operations.addUser(1, { set: { name: 'before', groups: [1, 2] }, clear: [] });
  await verifiedOn(rig, 1, ALL);
  const file = join(data, 'site.whorl');
  await rig.gateway.store.backups.make(file);
  await operations.addUser(2, { set: { name: 'after', groups: [1, 2] }, clear: [] });
  await operations.editUser(1, { set: { pin: new Uint8Array(64).fill(7) }, clear: [] });
  await atRest(rig);
  const tables = new Set(ALL.map((name) => rig.terminal(name).tableDigest));
  await rig.whileStopped(async () => {
    const now = rig.clock.wallTime();
    expect(await restoreBackup({ data, file, now, replace: true })).toMatchObject({ users: 1, terminals: 6 });
  });
  await rig.until('all terminals compared', async () =>
    (await rig.gateway.store.terminals()).every(({ doubt }) => doubt === undefined),
  );
  await atRest(rig);
  expect((await rig.gateway.store.users({ limit: 9 })).map(({ id, name }) => [id, name])).toEqual([
    [1, 'before'],
    [2, 'after'],
  ]);
  const compared = (await rig.events()).filter(({ type }) => type === 'terminal.compared');
  expect(compared.map(({ data: told }) => told)).toMatchObject(ALL.map(() => ({ cause: 'restored' })));
  expect(new Set(ALL.map((name) => rig.terminal(name).tableDigest))).toEqual(tables);
  expect(await rig.gateway.operations.conflicts({ limit: 9 })).toEqual([]);
});

test('S10 B11 G7 over TCP, too, a restore ends in comparing: later users come back, edits are merged, who was erased stays away', async () => {
  const out = directory();
  const rig = await realRig('tcp', SMALL_SITE);
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const { operations } = rig.gateway;
  await operations.addUser(1, { set: { name: 'before', groups: [1, 2] }, clear: [] });
  await operations.addUser(3, { set: { name: 'to be erased', groups: [1, 2] }, clear: [] });
  for (const user of [1, 3]) await verifiedOn(rig, user, ALL);
  const file = join(out, 'site.whorl');
  await rig.gateway.store.backups.make(file);
  expect(rig.terminal('terminal-3').enrol({ user: 2, name: 'after', fingers: 1 })).toBe(2);
  await operations.editUser(1, { set: { pin: new Uint8Array(64).fill(7) }, clear: [] });
  await operations.eraseUser(3);
  await rig.until('everybody is where they belong', () => {
    const [first, ...others] = ALL.map((name) => rig.terminal(name));
    const same = others.every((terminal) => terminal.tableDigest === first?.tableDigest);
    return same && first?.users().size === 2 && !first.users().has(3);
  });
  await atRest(rig);
  const tables = new Set(ALL.map((name) => rig.terminal(name).tableDigest));
  await rig.whileStopped(async (data) => {
    const report = await restoreBackup({ data, file, now: Date.now(), replace: true });
    expect(report).toMatchObject({ users: 1, erased: 1, terminals: 6 });
  });
  await rig.until('all terminals compared', async () =>
    (await rig.gateway.store.terminals()).every(({ doubt }) => doubt === undefined),
  );
  await atRest(rig);
  const users = await rig.gateway.store.users({ limit: 9 });
  expect(users.map(({ id, name }) => [id, name])).toEqual([
    [1, 'before'],
    [2, 'after'],
  ]);
  expect(new Set(ALL.map((name) => rig.terminal(name).tableDigest)), 'nothing was overwritten').toEqual(
    tables,
  );
  expect(await rig.gateway.operations.conflicts({ limit: 9 })).toEqual([]);
}, 120_000);

test('B17 an erased user is removed from every terminal, from one that was away and edited them too', async () => {
  const rig = await memoryRig(SMALL_SITE);
  onTestFinished(() => rig.close());
  await allOnline(rig);
  const { operations, store } = rig.gateway;
  await operations.addUser(1, { set: { name: 'to be erased', groups: [1, 2] }, clear: [] });
  await verifiedOn(rig, 1, ALL);
  const away = rig.terminal('terminal-5');
  await rig.unplug('lab');
  await rig.until('the line is down', async () =>
    (await rig.events()).some(({ type }) => type === 'line.closed'),
  );
  expect(away.enrol({ user: 1, fingers: 1 })).toBe(1);
  const { keys } = await operations.eraseUser(1);
  expect(keys).toHaveLength(1);
  await rig.plug('lab');
  await rig.until('nobody has to lose them any more', async () => (await store.ledgerOf([1])).length === 0);
  await atRest(rig);
  expect(ALL.filter((name) => rig.terminal(name).users().has(1))).toEqual([]);
  expect(await store.user(1)).toBeUndefined();
  const told = (await rig.events()).filter(({ user }) => user === 1);
  expect(told.filter(({ type }) => type !== 'user.erased' && type !== 'user.delete.succeeded')).toEqual([]);
});
