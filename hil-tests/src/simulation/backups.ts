import { join } from 'node:path';
import { restoreBackup } from '@whorl/gateway';
import { fitting, recordDigest } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { Store } from '@whorl/gateway';
import { isHeld } from './held.ts';
import type { Played } from './run.ts';

/** While the gateway works, whatever is going on. */
export async function backUp({ rig, belief, archive }: Played): Promise<string | undefined> {
  if (archive === undefined) return undefined;
  const { store } = rig.gateway;
  archive.made += 1;
  const file = join(archive.directory, `${archive.made}.whorl`);
  const held = await recordsIn(store);
  const then = belief.remember(new Set(held.keys()));
  await store.backups.make(file);
  archive.kept = { file, then, held };
  return `gateway: backup ${archive.made} is made, with ${then.users.size} users`;
}

/** The gateway goes back to its newest backup, by its own command; terminals are as they are. */
export async function restore({ rig, belief, archive }: Played): Promise<string | undefined> {
  const kept = archive?.kept;
  if (archive === undefined || kept === undefined) return undefined;
  const { data } = archive;
  const { file, then } = kept;
  const held = await recordsIn(rig.gateway.store);
  await rig.whileStopped(async () => {
    await restoreBackup({ data, file, now: rig.clock.wallTime(), replace: true });
  });
  const on = [...rig.terminals.values()].filter(({ power }) => power === 'on');
  belief.forgot(then, {
    there: new Set(on.flatMap((terminal) => [...terminal.users().keys()])),
    others: othersThan(kept.held, held, rig),
    terminals: [...rig.terminals.keys()],
    isStill: (one) => isHeld(rig, one),
  });
  belief.faults += 1;
  archive.wentBack = true;
  return `gateway: it goes back to backup ${archive.made}`;
}

type Records = ReadonlyMap<number, UserRecord>;

async function recordsIn(store: Store): Promise<Records> {
  const records = new Map<number, UserRecord>();
  for (const { id } of await store.users({ limit: 1000 })) {
    const user = await store.user(id);
    if (user !== undefined) records.set(id, user.record);
  }
  return records;
}

/** `terminal user` whose record is another one than then: there, or as the gateway had it now and was to send it. */
function othersThan(then: Records, now: Records, rig: Played['rig']): string[] {
  return [...rig.terminals].flatMap(([name, terminal]) => {
    const { capabilities } = terminal.model;
    const digestIn = (records: Records, user: number): string | undefined => {
      const record = records.get(user);
      return record && Buffer.from(recordDigest(fitting(record, capabilities))).toString('hex');
    };
    const there = terminal.power === 'on' ? terminal.users() : undefined;
    return [...new Set([...then.keys(), ...now.keys(), ...(there?.keys() ?? [])])]
      .filter((user) => {
        const before = digestIn(then, user);
        return digestIn(now, user) !== before || there?.get(user) !== before;
      })
      .map((user) => `${name} ${user}`);
  });
}
