import { join } from 'node:path';
import { restoreBackup } from '@whorl/gateway';
import type { Played } from './run.ts';

/** While the gateway works, whatever is going on. */
export async function backUp({ rig, belief, archive }: Played): Promise<string | undefined> {
  if (archive === undefined) return undefined;
  const { store } = rig.gateway;
  archive.made += 1;
  const file = join(archive.directory, `${archive.made}.whorl`);
  const then = belief.remember(new Set((await store.users({ limit: 1000 })).map(({ id }) => id)));
  await store.backups.make(file);
  archive.kept = { file, then };
  return `gateway: backup ${archive.made} is made, with ${then.users.size} users`;
}

/** The gateway goes back to its newest backup, by its own command; terminals are as they are. */
export async function restore({ rig, belief, archive }: Played): Promise<string | undefined> {
  const kept = archive?.kept;
  if (archive === undefined || kept === undefined) return undefined;
  const { data } = archive;
  const { file, then } = kept;
  await rig.whileStopped(async () => {
    await restoreBackup({ data, file, now: rig.clock.wallTime(), replace: true });
  });
  const on = [...rig.terminals.values()].filter(({ power }) => power === 'on');
  belief.forgot(then, {
    there: new Set(on.flatMap((terminal) => [...terminal.users().keys()])),
    isStill({ terminal: name, user, field, value }) {
      const terminal = rig.terminal(name);
      const held = terminal.power === 'on' ? terminal.record(user)?.fields.get(field) : undefined;
      return held !== undefined && Buffer.from(held).toString('base64') === value;
    },
  });
  belief.faults += 1;
  archive.wentBack = true;
  return `gateway: it goes back to backup ${archive.made}`;
}
