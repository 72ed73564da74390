import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { hasPty } from '@whorl/device-emulator';
import { systemClock } from '@whorl/protocol';
import { realRig } from '../rig/real.ts';

export interface NoiseResult {
  /** Bytes of noise that the gateway heard and dropped. */
  readonly bytes: number;
  /** How much more the heap holds after the noise than before it, megabytes. */
  readonly growthMb: number;
  /** From the end of the noise until the last terminal answered again, milliseconds. */
  readonly backMs: number;
}

/**
 * Pure noise on a real line: a pseudo-terminal with four terminals, driven by something that never pauses.
 * @returns `undefined` on a system without pseudo-terminals
 */
export async function noiseSoak({ forMs }: { forMs: number }): Promise<NoiseResult | undefined> {
  if (!hasPty()) return undefined;
  const names = ['terminal-1', 'terminal-2', 'terminal-3', 'terminal-4'];
  const rig = await realRig('pty', { lines: { floor: names.map((name) => ({ name })) } });
  try {
    const online = async (): Promise<boolean> =>
      (await rig.gateway.operations.status()).terminals.every(({ state }) => state === 'online');
    await rig.until('all terminals online', online);
    const medium = rig.media.get('floor');
    // The first second settles what is made once.
    medium?.noise(1_000);
    await rig.pass(1_000);
    const before = heldMb();
    medium?.noise(forMs);
    await rig.pass(forMs);
    const growthMb = heldMb() - before;
    const ended = systemClock.now();
    await rig.until('all terminals online again', online);
    const [line] = (await rig.gateway.operations.status()).lines;
    return { bytes: line?.counters.bytesDiscarded ?? 0, growthMb, backMs: systemClock.now() - ended };
  } finally {
    await rig.close();
  }
}

/** What is reachable, megabytes. */
function heldMb(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') Reflect.apply(collect, undefined, []);
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}
