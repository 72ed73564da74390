import { encodeUser, FrameSplitter, readRecord, seededRandom } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { expect } from 'vitest';
import { fullUser } from '../bench/users.ts';
import { behaviour, verifiedOn } from '../rig/behaviour.ts';
import type { BehaviourOptions } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

const random = seededRandom(3);
const USER = fullUser(7);
const SIZE = encodeUser(USER).length;
/** What starting over in the middle would cost is half as much again. */
const LITTLE_MORE = 0.25 * SIZE;
/** Longer than any other frame. */
const CHUNK_BYTES = 300;

const MODEL = { model: 'face-100k' } as const;
const PLAN = {
  lines: {
    floor: ['terminal-1', 'terminal-2', 'terminal-3'].map((name) => ({ name, ...MODEL })),
    lab: [{ name: 'terminal-4', ...MODEL }],
  },
} as const;
const EVERYWHERE = ['terminal-1', 'terminal-2', 'terminal-3', 'terminal-4'];

/** What breaks a transfer off in the middle. @param terminal one that takes part, and must be there afterwards */
type Interruption = (rig: Rig, line: string, terminal: string) => Promise<void>;

const INTERRUPTIONS: Readonly<Record<string, Interruption>> = {
  async noise(rig, line) {
    rig.media.get(line)?.noise(200);
    await rig.pass(200);
  },
  async 'a pulled cable'(rig, line) {
    await rig.unplug(line);
    await rig.pass(500);
    await rig.plug(line);
  },
  async 'the terminal’s reboot'(rig, _, terminal) {
    rig.terminal(terminal).reboot();
    await rig.until('it has started', () => rig.terminal(terminal).power === 'on');
  },
  async 'the gateway’s restart'(rig) {
    await rig.restartGateway();
  },
};

/** Counts the bytes of chunks that cross a line in one direction from now on. */
function chunkBytes(rig: Rig, line: string, fromGateway: boolean): () => number {
  let bytes = 0;
  const splitter = new FrameSplitter();
  rig.media.get(line)?.tap((piece, direction, { noise }) => {
    if (direction !== fromGateway || noise) return;
    splitter.push(piece, ({ length }) => {
      if (length > CHUNK_BYTES) bytes += length;
    });
  });
  return () => bytes;
}

async function pushed(rig: Rig, line: string, terminal: string, interrupt: Interruption): Promise<void> {
  const crossed = chunkBytes(rig, line, true);
  const { id, ...set } = USER;
  await rig.gateway.operations.addUser(id, { set, clear: [] });
  await rig.until('half of it across', () => crossed() > SIZE / 2);
  const before = crossed();
  await interrupt(rig, line, terminal);
  // What is said to a terminal while it is away nobody answers, so it cannot be known to be in vain.
  const inVain = crossed() - before;
  await verifiedOn(rig, id, EVERYWHERE);
  expect(crossed()).toBeGreaterThan(SIZE);
  expect(crossed()).toBeLessThan(SIZE + inVain + LITTLE_MORE);
}

async function pulled(rig: Rig, line: string, terminal: string, interrupt: Interruption): Promise<void> {
  const crossed = chunkBytes(rig, line, false);
  rig.terminal(terminal).load([readRecord(encodeUser(USER))]);
  await rig.gateway.operations.pull(USER.id, terminal);
  await rig.until('half of it across', () => crossed() > SIZE / 2);
  await interrupt(rig, line, terminal);
  await rig.until('the user here', async () => (await rig.gateway.store.user(USER.id)) !== undefined);
  expect(crossed()).toBeGreaterThan(SIZE);
  expect(crossed()).toBeLessThan(SIZE + LITTLE_MORE);
}

const IN_MEMORY: BehaviourOptions = { plan: PLAN, on: ['memory'] };
/** Noise, and a terminal that starts anew, are the same to a real port as to one in memory; these are not. */
const AT_PORTS: readonly string[] = ['a pulled cable', 'the gateway’s restart'];

for (const [what, interrupt] of Object.entries(INTERRUPTIONS)) {
  const options: BehaviourOptions = AT_PORTS.includes(what)
    ? { plan: PLAN, on: ['memory', 'pty'] }
    : IN_MEMORY;
  behaviour(
    `P12 a push to one terminal goes on where ${what} broke it off`,
    (rig) => pushed(rig, 'lab', 'terminal-4', interrupt),
    options,
  );
  behaviour(
    `P12 a push to several terminals of a line goes on where ${what} broke it off`,
    (rig) => pushed(rig, 'floor', 'terminal-2', interrupt),
    IN_MEMORY,
  );
  behaviour(
    `P12 a pull goes on where ${what} broke it off`,
    (rig) => pulled(rig, 'floor', 'terminal-1', interrupt),
    options,
  );
}

/** On TCP it takes more to be in the middle of anything. */
const BIG_USER: User = {
  ...USER,
  id: 8,
  ...Object.fromEntries([0, 1, 2, 3, 4].map((slot) => [`face.${slot}`, face()])),
};
const BIG_SIZE = encodeUser(BIG_USER).length;

function face(): NonNullable<User['face.0']> {
  return { format: 1, quality: 80, template: random.bytes(80_000) };
}

/** Takes the wire off as soon as so many bytes have crossed it. @returns once it is off */
async function cutAt(rig: Rig, crossed: () => number, bytes: number): Promise<void> {
  const medium = rig.media.get('lab');
  const untap = medium?.tap(() => {
    if (crossed() > bytes) medium.setWired(false);
  });
  await rig.until('the middle of it', () => medium?.wired === false);
  untap?.();
}

for (const direction of ['push', 'pull'] as const)
  behaviour(
    `P12 a ${direction} over TCP goes on where the connection went dead, over the next one`,
    async (rig) => {
      const crossed = chunkBytes(rig, 'lab', direction === 'push');
      const cut = cutAt(rig, crossed, BIG_SIZE / 2);
      const { id, ...set } = BIG_USER;
      if (direction === 'push') {
        await rig.gateway.operations.addUser(id, { set, clear: [] });
      } else {
        rig.terminal('terminal-4').load([readRecord(encodeUser(BIG_USER))]);
        await rig.gateway.operations.pull(id, 'terminal-4');
      }
      await cut;
      await rig.until('it missed', async () =>
        (await rig.gateway.operations.status()).terminals.some(
          ({ name, state }) => name === 'terminal-4' && state === 'offline',
        ),
      );
      const before = crossed();
      rig.media.get('lab')?.setWired(true);
      if (direction === 'push') await verifiedOn(rig, id, ['terminal-4']);
      else await rig.until('the user here', async () => (await rig.gateway.store.user(id)) !== undefined);
      expect(before).toBeGreaterThan(BIG_SIZE / 2);
      expect(crossed() - before).toBeLessThan(0.7 * BIG_SIZE);
    },
    { plan: { lines: { lab: PLAN.lines.lab } }, on: ['tcp'] },
  );
