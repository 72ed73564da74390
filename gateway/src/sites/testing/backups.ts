import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { SatelliteNode, World } from './world.ts';

/** Makes a backup, and goes back to the last one. */
export interface Back {
  readonly make: () => Promise<void>;
  readonly goBack: () => Promise<void>;
}

/** A store that can go back to a backup. @param use takes the store, again whenever it was opened anew */
async function storeWithBackup(
  world: World,
  { stop, use }: { stop: () => Promise<void>; use: (store: Store) => Promise<void> },
): Promise<Back> {
  const directory = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'whorl-restored-'));
    onTestFinished(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const [live, backup] = [directory(), directory()];
  const open = (): Store => openStore({ data: live }, (length) => world.random.bytes(length));
  let store = open();
  await use(store);
  onTestFinished(async () => {
    await stop();
    await store.close();
  });
  const change = async (work: () => void): Promise<void> => {
    await stop();
    await store.close();
    work();
    store = open();
    await use(store);
  };
  return {
    make: () => change(() => become(backup, live)),
    goBack: () => change(() => become(live, backup)),
  };
}

/** One directory holds what another does. */
function become(old: string, directory: string): void {
  rmSync(old, { recursive: true });
  cpSync(directory, old, { recursive: true });
}

/** A world whose master can go back to a backup. */
export async function backedUp(seed: number): Promise<{ world: World; back: Back }> {
  const world = await World.open(seed);
  let closed = Promise.resolve();
  const back = await storeWithBackup(world, {
    stop: () => closed,
    use: (store) => world.replaceMaster(store),
  });
  onTestFinished(() => (closed = world.close()));
  return { world, back };
}

/** A satellite that can go back to a backup. */
export async function siteBackedUp(
  world: World,
  name: string,
): Promise<{ node: () => SatelliteNode; back: Back }> {
  let node: SatelliteNode | undefined;
  const there = (): SatelliteNode => {
    if (node === undefined) throw new Error(`${name} is not there yet`);
    return node;
  };
  const back = await storeWithBackup(world, {
    stop: async () => {
      await world.during(there().satellite.stop());
    },
    use: async (store) => {
      if (node === undefined) {
        node = await world.add(name, { store });
        return;
      }
      const { syncId, identity } = node;
      node = new SatelliteNode(world, { name, syncId, store, identity });
      await node.begin();
    },
  });
  return { node: there, back };
}
