import { encodeUser, FrameSplitter, readRecord } from '@whorl/protocol';
import { expect } from 'vitest';
import { fullUser } from '../bench/users.ts';
import { behaviour, verifiedOn } from '../rig/behaviour.ts';
import type { BehaviourOptions } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

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

const OPTIONS: BehaviourOptions = { plan: PLAN, on: ['memory', 'pty'] };

for (const [what, interrupt] of Object.entries(INTERRUPTIONS)) {
  behaviour(
    `P12 a push to one terminal goes on where ${what} broke it off`,
    (rig) => pushed(rig, 'lab', 'terminal-4', interrupt),
    OPTIONS,
  );
  behaviour(
    `P12 a push to several terminals of a line goes on where ${what} broke it off`,
    (rig) => pushed(rig, 'floor', 'terminal-2', interrupt),
    { ...OPTIONS, on: ['memory'] },
  );
  // What has arrived of a pull a gateway keeps in its memory.
  if (interrupt === INTERRUPTIONS['the gateway’s restart']) continue;
  behaviour(
    `P12 a pull goes on where ${what} broke it off`,
    (rig) => pulled(rig, 'floor', 'terminal-1', interrupt),
    OPTIONS,
  );
}
