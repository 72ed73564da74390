import { encodeUser, FrameSplitter } from '@whorl/protocol';
import { memoryRig } from '../rig/memory.ts';
import type { MemoryRig } from '../rig/memory.ts';
import { realRig } from '../rig/real.ts';
import type { Rig } from '../rig/rig.ts';
import { LOG_IN, newestSync, northGate, PORTABLE_SITE, syncOver } from '../rig/portable.ts';
import { during } from '../rig/settled.ts';
import { fingerUser } from './users.ts';

const BYTES_PER_S = 115_200 / 10;
/** Longer than any other frame. */
const CHUNK_BYTES = 300;
const PATIENCE_MS = 3_600_000;

/** A slice on its way to a portable terminal, in virtual time: whole, and broken off at 80 % by the cable. */
export async function benchPortable({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const users = quick ? 300 : 5000;
  const whole = await download(users, undefined);
  const resumed = await download(quick ? 300 : 1000, 0.8);
  return {
    'portable.slice_efficiency': whole.bytes / (whole.seconds * BYTES_PER_S),
    'portable.slice_s': whole.seconds,
    'portable.resume_again': resumed.again,
    'portable.tcp_s': await overTcp(users),
  };
}

interface Downloaded {
  /** Bytes of the users' records. */
  readonly bytes: number;
  readonly seconds: number;
  /** Bytes of chunks that crossed the line, over those of the users, above 1. */
  readonly again: number;
}

/** From the button to the green message. @param cutAt share of the bytes at which the cable is pulled for a moment */
async function download(users: number, cutAt: number | undefined): Promise<Downloaded> {
  const rig = await memoryRig({ ...PORTABLE_SITE, baud: 115_200, latencyMs: 0 });
  try {
    const bytes = await fill(rig, users);
    const task = await northGate(rig, { slice: { who: { by: 'site', site: 'rig' }, without: [] } });
    const crossed = chunkBytes(rig);
    rig.terminal('handheld').press(LOG_IN);
    rig.terminal('handheld').press({ button: 'sync', mode: 'synchronise', task });
    const began = rig.clock.now();
    if (cutAt !== undefined) {
      await rig.until('the middle of it', () => crossed() > cutAt * bytes, { withinMs: PATIENCE_MS });
      await rig.unplug('dock');
      await rig.pass(2000);
      await rig.plug('dock');
    }
    const { state } = await syncOver(rig, 1, PATIENCE_MS);
    if (state !== 'done')
      throw new Error(`the session is ${state}: ${(await newestSync(rig))?.reason ?? ''}`);
    return { bytes, seconds: (rig.clock.now() - began) / 1000, again: crossed() / bytes - 1 };
  } finally {
    await rig.close();
  }
}

/** The same over TCP, in real time, both ends in this process. @returns seconds from the button to the green message */
async function overTcp(users: number): Promise<number> {
  const rig = await realRig('tcp', PORTABLE_SITE);
  try {
    await fill(rig, users);
    const task = await northGate(rig, { slice: { who: { by: 'site', site: 'rig' }, without: [] } });
    rig.terminal('handheld').press(LOG_IN);
    rig.terminal('handheld').press({ button: 'sync', mode: 'synchronise', task });
    const began = performance.now();
    await syncOver(rig, 1, PATIENCE_MS);
    return (performance.now() - began) / 1000;
  } finally {
    await rig.close();
  }
}

async function fill(rig: Rig, users: number): Promise<number> {
  const { operations } = rig.gateway;
  await during(rig, 'nothing by itself', operations.changeSettings({ autoSync: 'off' }));
  let bytes = 0;
  for (let id = 1; id <= users; id += 1) {
    const { id: _, ...set } = fingerUser(id);
    bytes += encodeUser({ id, ...set }).length;
    await operations.addUser(id, { set, clear: [] });
  }
  await rig.until('the terminals online', async () =>
    (await operations.status()).terminals.every(({ state }) => state === 'online'),
  );
  await rig.pass(5000);
  return bytes;
}

function chunkBytes(rig: MemoryRig): () => number {
  let bytes = 0;
  const splitter = new FrameSplitter();
  rig.media.get('dock')?.tap((piece, fromGateway) => {
    if (!fromGateway) return;
    splitter.push(piece, ({ length }) => {
      if (length > CHUNK_BYTES) bytes += length;
    });
  });
  return () => bytes;
}
