import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredEvent } from '@whorl/gateway';
import { codeOf } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
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
      expect(failed.map(({ terminal, user, data }) => [terminal, user, data])).toEqual([
        ['terminal-3', 1, expect.objectContaining({ code: kind.code })],
        ['terminal-5', 2, expect.objectContaining({ code: kind.code })],
      ]);
      expect(await told(rig, 'db.save.recovered')).toHaveLength(1);
      expect(await told(rig, 'user.merged')).toHaveLength(2);
      expect((await operations.status()).users).toBe(2);
    },
  );
}
