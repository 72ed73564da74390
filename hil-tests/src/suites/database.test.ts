import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredEvent } from '@whorl/gateway';
import { codeOf } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ALL, allOnline, atRest, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import { fileLimit, mayLimit, mayMount, smallDisk } from '../rig/disk.ts';
import type { Fault } from '../rig/disk.ts';
import { memoryRig } from '../rig/memory.ts';
import type { MemoryRig } from '../rig/memory.ts';
import { SMALL_SITE } from '../rig/rig.ts';

interface Kind {
  readonly name: string;
  readonly code: string;
  readonly possible: boolean;
  readonly make: () => { readonly data: string; readonly fault: Fault };
}

const KINDS: readonly Kind[] = [
  {
    name: 'a full disk',
    code: 'STORE_FULL',
    possible: mayMount(),
    make() {
      const disk = smallDisk('3m');
      onTestFinished(() => disk.remove());
      return { data: join(disk.path, 'data'), fault: disk };
    },
  },
  {
    name: 'a disk that does not write',
    code: 'STORE_IO',
    possible: mayLimit(),
    make() {
      const data = mkdtempSync(join(tmpdir(), 'whorl-limit-'));
      onTestFinished(() => {
        rmSync(data, { recursive: true, force: true });
      });
      const fault = fileLimit(data);
      onTestFinished(() => fault.end());
      return { data, fault };
    },
  },
];

async function site(kind: Kind): Promise<{ rig: MemoryRig; fault: Fault; data: string }> {
  const { data, fault } = kind.make();
  const rig = await memoryRig(SMALL_SITE, { data });
  onTestFinished(() => rig.close());
  onTestFinished(() => fault.end());
  await allOnline(rig);
  await atRest(rig);
  return { rig, fault, data };
}

async function told(rig: MemoryRig, type: StoredEvent['type']): Promise<readonly StoredEvent[]> {
  return (await rig.events()).filter((event) => event.type === type);
}

for (const kind of KINDS) {
  const on = test.skipIf(!kind.possible);

  on(
    `B7 with ${kind.name} what is enrolled stays at its terminal, is told, and is saved once afterwards`,
    async () => {
      const { rig, fault } = await site(kind);
      const { operations } = rig.gateway;
      fault.begin();
      rig.terminal('terminal-3').enrol({ user: 1, fingers: 2 });
      rig.terminal('terminal-5').enrol({ user: 2, fingers: 2 });
      await rig.until('both known to wait', async () => (await operations.status()).database?.waiting === 2);
      await rig.pass(300_000);
      const status = await operations.status();
      expect(status.database).toMatchObject({ code: kind.code, waiting: 2 });
      expect(status.terminals.map(({ state }) => state)).toEqual(ALL.map(() => 'online'));
      expect(status.users).toBe(0);
      expect(await operations.addUser(3, { set: { name: 'Eve' }, clear: [] }).catch(codeOf)).toBe(kind.code);
      fault.end();
      for (const user of [1, 2]) await verifiedOn(rig, user, ALL, 120_000);
      await rig.until('told as over', async () => (await told(rig, 'db.save.recovered')).length > 0);
      expect((await operations.status()).database).toBeUndefined();
      for (const user of [1, 2]) expect(digestsOf(rig, user).size).toBe(1);
      const failed = await told(rig, 'db.save.failed');
      const byUser = failed.toSorted((a, b) => (a.user ?? 0) - (b.user ?? 0));
      expect(byUser.map(({ terminal, user, data }) => [terminal, user, data])).toEqual([
        ['terminal-3', 1, expect.objectContaining({ code: kind.code })],
        ['terminal-5', 2, expect.objectContaining({ code: kind.code })],
      ]);
      expect(await told(rig, 'db.save.recovered')).toHaveLength(1);
      expect(await told(rig, 'user.merged')).toHaveLength(2);
      expect((await operations.status()).users).toBe(2);
    },
  );
}

const FAILING = KINDS.find(({ name }) => name === 'a disk that does not write');

test.skipIf(FAILING?.possible !== true)(
  'B7 B8 through a storm of changes while nothing can be written, lines are polled, and the terminals are the buffer',
  { timeout: 60_000 },
  async () => {
    if (FAILING === undefined) return;
    const { rig, fault, data } = await site(FAILING);
    const { operations } = rig.gateway;
    fault.begin();
    const terminal = rig.terminal('terminal-3');
    const asked = async (): Promise<number> =>
      (await operations.status()).terminals.find(({ name }) => name === 'terminal-3')?.counters.exchanges ??
      0;
    for (let user = 1; user <= 80; user += 1) terminal.enrol({ user, name: `User ${user}` });
    await rig.until(
      'some known to wait',
      async () => ((await operations.status()).database?.waiting ?? 0) > 0,
    );
    await rig.pass(60_000);
    const before = await asked();
    for (let round = 1; round <= 5; round += 1) {
      for (let user = 1; user <= 40; user += 1) terminal.enrol({ user, name: `User ${user}, ${round}` });
      await rig.pass(60_000);
    }
    // Only whether it is there, and a page of its log a minute or so: not one for each change.
    expect((await asked()) - before).toBeLessThan(750);
    await rig.unplug('gate');
    await rig.until('terminal-6 seen as gone', async () =>
      (await operations.status()).terminals.some(
        ({ name, state }) => name === 'terminal-6' && state === 'offline',
      ),
    );
    await rig.plug('gate');
    const online = async (): Promise<number> =>
      (await operations.status()).terminals.filter(({ state }) => state === 'online').length;
    await rig.until('all seen as online', async () => (await online()) === ALL.length);
    expect(statSync(join(data, 'whorl.db.spill')).size).toBe(64 * 1024);
    fault.end();
    await rig.until(
      'everybody saved',
      async () => (await operations.status()).users === 80 && (await operations.status()).openPulls === 0,
      { withinMs: 600_000 },
    );
    await rig.until('told as over', async () => (await told(rig, 'db.save.recovered')).length > 0, {
      withinMs: 120_000,
    });
    const failed = await told(rig, 'db.save.failed');
    expect(new Set(failed.map(({ user }) => user)).size).toBe(failed.length);
    expect((await told(rig, 'line.closed')).map(({ line }) => line)).toContain('gate');
    const sources = (await rig.events()).flatMap(({ source }) => source ?? []);
    expect(new Set(sources).size).toBe(sources.length);
  },
);

test.skipIf(FAILING?.possible !== true)(
  'B7 without room of its own beside the database nothing would tell what could not be saved',
  async () => {
    if (FAILING === undefined) return;
    const { rig, fault } = await site(FAILING);
    vi.spyOn(rig.gateway.store.spill, 'keep').mockImplementation(async (events) => events.length);
    fault.begin();
    rig.terminal('terminal-3').enrol({ user: 1, fingers: 1 });
    await rig.until(
      'it known to wait',
      async () => (await rig.gateway.operations.status()).database?.waiting === 1,
    );
    fault.end();
    await verifiedOn(rig, 1, ALL, 120_000);
    await rig.until('told as over', async () => (await told(rig, 'db.save.recovered')).length > 0);
    expect(await told(rig, 'db.save.failed')).toEqual([]);
    expect((await told(rig, 'db.save.recovered'))[0]?.data).toMatchObject({ dropped: 1 });
  },
);

test.skipIf(!mayMount())(
  'B7 G7 a backup onto a full disk leaves nothing behind, and the gateway unharmed',
  async () => {
    const disk = smallDisk('2m');
    onTestFinished(() => disk.remove());
    const rig = await memoryRig(SMALL_SITE, { data: join(disk.path, 'data') });
    onTestFinished(() => rig.close());
    await allOnline(rig);
    await atRest(rig);
    const before = readdirSync(disk.path, { recursive: true }).length;
    disk.begin();
    const { backups } = rig.gateway.store;
    const code = await backups.make(join(disk.path, 'site.whorl')).catch(codeOf);
    expect(code).toBe('STORE_FULL');
    disk.end();
    expect(readdirSync(disk.path, { recursive: true })).toHaveLength(before);
    rig.terminal('terminal-3').enrol({ user: 1, fingers: 1 });
    await verifiedOn(rig, 1, ALL);
  },
);
