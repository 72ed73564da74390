import { encodeUser, readRecord } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { memoryRig } from '../rig/memory.ts';
import { during } from '../rig/settled.ts';
import { fingerUser, fullUser } from './users.ts';

const BYTES_PER_S = (baud: number): number => baud / 10;

/** What bulk work makes of a line, in virtual time: gateway, line and terminal as in production, sessions plain. */
export async function benchLine({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const finger = await push(115_200, quick ? 100 : 500, fingerUser);
  const full = await push(115_200, quick ? 10 : 50, fullUser);
  const slow = await push(9600, quick ? 3 : 10, fullUser);
  return {
    'line.push.templates_per_s': (4 * finger.users) / finger.seconds,
    'line.push.efficiency': full.bytes / (full.seconds * BYTES_PER_S(115_200)),
    'line.push.efficiency_9600': slow.bytes / (slow.seconds * BYTES_PER_S(9600)),
    'line.pull.efficiency': await pull(115_200, quick ? 10 : 50),
  };
}

interface Moved {
  readonly users: number;
  /** Bytes of the users' records. */
  readonly bytes: number;
  readonly seconds: number;
}

/** Users that the gateway holds go to one terminal. */
async function push(baud: number, count: number, make: (id: number) => User): Promise<Moved> {
  const rig = await memoryRig({
    lines: { floor: [{ name: 'terminal', model: 'face-100k' }] },
    baud,
    latencyMs: 0,
  });
  try {
    const { operations, store } = rig.gateway;
    await operations.changeSettings({ autoSync: 'off' });
    let bytes = 0;
    for (let id = 1; id <= count; id += 1) {
      const { id: _, ...set } = make(id);
      bytes += encodeUser({ id, ...set }).length;
      await operations.addUser(id, { set, clear: [] });
    }
    await rig.until(
      'the terminal online',
      async () => (await operations.status()).terminals[0]?.state === 'online',
    );
    await rig.pass(1000);
    const began = rig.clock.now();
    await during(rig, 'all in scope', operations.changeSettings({ autoSync: 'all' }));
    await rig.until(
      'all verified',
      async () => ((await store.ledgerCounts()).get('terminal')?.verified ?? 0) === count,
      { withinMs: 3_600_000 },
    );
    return { users: count, bytes, seconds: (rig.clock.now() - began) / 1000 };
  } finally {
    await rig.close();
  }
}

/** Users that the terminal holds come to the gateway. */
async function pull(baud: number, count: number): Promise<number> {
  const rig = await memoryRig({
    lines: { floor: [{ name: 'terminal', model: 'face-100k' }] },
    baud,
    latencyMs: 0,
  });
  try {
    const { operations, store } = rig.gateway;
    // Else it would begin by itself to fetch those whom the terminal brings along, before the time is taken.
    await during(rig, 'nothing by itself', operations.changeSettings({ autoSync: 'off' }));
    const records = Array.from({ length: count }, (_, i) => encodeUser(fullUser(i + 1)));
    rig.terminal('terminal').load(records.map(readRecord));
    await rig.until(
      'the terminal online',
      async () => (await operations.status()).terminals[0]?.state === 'online',
    );
    await rig.pass(1000);
    const began = rig.clock.now();
    for (let id = 1; id <= count; id += 1) await operations.pull(id, 'terminal');
    await rig.until(
      'all pulled',
      async () => (await store.countUsers()) === count && (await operations.status()).openPulls === 0,
      { withinMs: 3_600_000 },
    );
    const bytes = records.reduce((sum, record) => sum + record.length, 0);
    return bytes / (((rig.clock.now() - began) / 1000) * BYTES_PER_S(baud));
  } finally {
    await rig.close();
  }
}
