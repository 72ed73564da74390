import { encodeUser, seededRandom } from '@whorl/protocol';
import { fingerUser } from '../bench/users.ts';
import { memoryRig } from './memory.ts';
import { during } from './settled.ts';

export interface CrowdPlan {
  /** Finger users that everyone shall get. */
  readonly users: number;
  readonly terminals: number;
  /** Chance of a byte to be corrupted, either way. */
  readonly corrupted: number;
  /** How many of the terminals start anew at random, a few seconds after they were up again. */
  readonly rebooting: number;
  readonly seed: number;
}

export interface CrowdResult {
  /** From the first byte until all was verified on all terminals, virtual milliseconds. */
  readonly ms: number;
  readonly reboots: number;
  /** Terminals that went offline though they had not started anew. */
  readonly lost: readonly string[];
  /** Sessions that terminals began which had not started anew, beyond the first. */
  readonly sessions: number;
  /** Tables of users that differ: 1 when all hold the same. */
  readonly tables: number;
  /** Bytes of the users' records ÷ those that the line could have carried in that time. */
  readonly efficiency: number;
  readonly flippedBits: number;
}

const BAUD = 115_200;

/** Users for all terminals of one line, in noise, while some of the terminals come and go; in virtual time. */
export async function crowd(plan: CrowdPlan): Promise<CrowdResult> {
  const names = Array.from({ length: plan.terminals }, (_, i) => `terminal-${i + 1}`);
  const rig = await memoryRig({
    lines: { floor: names.map((name) => ({ name })) },
    seed: plan.seed,
    baud: BAUD,
  });
  try {
    const { operations, store } = rig.gateway;
    await operations.changeSettings({ autoSync: 'off' });
    let bytes = 0;
    for (let id = 1; id <= plan.users; id += 1) {
      const { id: _, ...set } = fingerUser(id);
      bytes += encodeUser({ id, ...set }).length;
      await operations.addUser(id, { set, clear: [] });
    }
    const online = async (): Promise<boolean> =>
      (await operations.status()).terminals.every(({ state }) => state === 'online');
    await rig.until('all online', online);
    await rig.pass(2_000);
    const medium = rig.media.get('floor');
    medium?.setBitErrors(plan.corrupted / 8);
    const unsteady = names.slice(0, plan.rebooting);
    const before = new Map(names.map((name) => [name, rig.terminal(name).counters.sessions]));
    const random = seededRandom(plan.seed + 7);
    const began = rig.clock.now();
    await during(rig, 'all in scope', operations.changeSettings({ autoSync: 'all' }));
    let reboots = 0;
    let next = began + 1_000;
    const verified = async (): Promise<boolean> => {
      if (unsteady.length > 0 && rig.clock.now() >= next) {
        const name = unsteady[random.below(unsteady.length)] ?? '';
        if (rig.terminal(name).power === 'on') {
          rig.terminal(name).reboot();
          reboots += 1;
        }
        next = rig.clock.now() + 15_000 + random.below(30_000);
      }
      const counts = await store.ledgerCounts();
      return names.every((name) => (counts.get(name)?.verified ?? 0) === plan.users);
    };
    await rig.until('all users verified on all terminals', verified, { withinMs: 3_600_000 });
    const ms = rig.clock.now() - began;
    medium?.setBitErrors(0);
    const steady = names.slice(plan.rebooting);
    const offline = (await rig.events()).filter(({ type }) => type === 'terminal.offline');
    const sessions = steady.map((name) => rig.terminal(name).counters.sessions - (before.get(name) ?? 0));
    await rig.until('all started', () => names.every((name) => rig.terminal(name).power === 'on'));
    return {
      ms,
      reboots,
      lost: steady.filter((name) => offline.some(({ terminal }) => terminal === name)),
      sessions: sessions.reduce((sum, count) => sum + count, 0),
      tables: new Set(names.map((name) => rig.terminal(name).tableDigest)).size,
      efficiency: bytes / ((ms / 1000) * (BAUD / 10)),
      flippedBits: medium?.counters.flippedBits ?? 0,
    };
  } finally {
    await rig.close();
  }
}
