import { hash } from 'node:crypto';
import { Call } from '@whorl/device-emulator';
import { BROADCAST, HEADER_BYTES, isShort } from '@whorl/protocol';
import type { Between, Crossing } from '../rig/between.ts';
import { wireOf } from '../rig/between.ts';
import { atRest, verifiedOn } from '../rig/behaviour.ts';
import type { MemoryRig } from '../rig/memory.ts';

/** Where an attack happens: a site with lines that somebody has cut, and hears from the first byte. */
export interface Scene {
  readonly rig: MemoryRig;
  readonly floor: Between;
  readonly lab: Between;
  /** All that has crossed a line so far. */
  readonly heard: Readonly<Record<'floor' | 'lab', readonly Crossing[]>>;
  /** From here on what stands against the attack is off, if it is to be shown that it bites. */
  strike(): void;
}

/** A way to change what others hold. @returns whether it did */
export type Attack = (scene: Scene) => Promise<boolean>;

/** The users that attacks are about; everyone has them. */
export const [VICTIM, OTHER] = [5, 6];
export const FLOOR = ['terminal-1', 'terminal-2', 'terminal-3'] as const;
export const EVERYWHERE = [...FLOOR, 'terminal-4'] as const;
/** Of terminal-2 on the floor. */
export const ADDRESS = 2;

const SEAL_BYTES = 8;
/** Which request a sealed frame is can be told by its length: type, count, 4 bytes a user, and how far the log was read. */
function removalBytes(users: number): number {
  return HEADER_BYTES + 2 + 4 * users + 4 + SEAL_BYTES;
}
/** A roll call of at most eight terminals: type, number, slot, first address, count, and a byte of bits. */
export const ROLL_CALL_BYTES = HEADER_BYTES + 1 + 4 + 2 + 1 + 1 + 1 + SEAL_BYTES;
/** An answer that says how many users are held, with the terminal’s counter. */
export const DONE_BYTES = HEADER_BYTES + 2 + 1 + 4 + SEAL_BYTES;

export function isRemoval({ frame, fromGateway }: Crossing, users = 1, address = ADDRESS): boolean {
  return fromGateway && frame.length === removalBytes(users) && frame[1] === address;
}

/** The last frame of these that took a user away. @throws Error when there is none */
export function removalIn(heard: readonly Crossing[], address = ADDRESS): Uint8Array {
  const found = heard.findLast((crossing) => isRemoval(crossing, 1, address));
  if (found === undefined) throw new Error('no removal was heard');
  return found.frame;
}

/** All that was said to an address, but for short frames, which are for everyone. */
export function saidTo(heard: readonly Crossing[], address = ADDRESS): Uint8Array[] {
  return heard
    .filter(({ frame, fromGateway }) => fromGateway && !isShort(frame) && frame[1] === address)
    .map(({ frame }) => frame);
}

/** Says a frame to a terminal, as if it came over the wire; what it answers nobody hears. */
export function say({ rig }: Scene, terminal: string, frame: Uint8Array): void {
  const stuffed = wireOf(frame).subarray(0, -1);
  if (frame[1] === BROADCAST) rig.terminal(terminal).hearCall(new Call(stuffed));
  else rig.terminal(terminal).hear(stuffed);
}

export async function add({ rig }: Scene, user: number): Promise<void> {
  await rig.gateway.operations.addUser(user, { set: { name: `User ${user}` }, clear: [] });
  await verifiedOn(rig, user, EVERYWHERE);
}

export async function remove({ rig }: Scene, user: number): Promise<void> {
  await rig.gateway.operations.deleteUser(user);
  await rig.until(
    `user ${user} gone`,
    async () => (await rig.gateway.store.ledger({ user, limit: 9 })).length === 0,
  );
}

export function holds({ rig }: Scene, terminal: string, user: number): boolean {
  return rig.terminal(terminal).users().has(user);
}

/** All that anybody holds: users, logs, what is staged, pairings, ledger, events; and which sessions stand. */
export async function stateOf({ rig }: Scene): Promise<string> {
  await atRest(rig);
  const { store } = rig.gateway;
  const terminals = [...rig.flashes].map(([name, flash]) => [
    name,
    hash('sha256', flash.read()),
    rig.terminal(name).counters.sessions,
  ]);
  return JSON.stringify([
    terminals,
    await store.users({ limit: 1000 }),
    await store.ledger({ limit: 1000 }),
    await store.events({ limit: 100_000 }),
    await store.conflicts({ limit: 1000 }),
    await store.terminals(),
    [...(await store.pairings())].map(([serial, { key }]) => [serial, hash('sha256', key)]),
  ]);
}

/** What both sides have refused and dropped so far. */
export async function countedBy({ rig }: Scene): Promise<number> {
  const { lines } = await rig.gateway.operations.status();
  const atGateway = lines.map(({ counters }) => counters.framesBad + counters.framesStray);
  const atTerminals = [...rig.terminals.values()].map((terminal) => {
    if (terminal.power !== 'on') return 0;
    const { bad, replayed, foreign, refused } = terminal.counters;
    return bad + replayed + foreign + refused;
  });
  return [...atGateway, ...atTerminals].reduce((sum, count) => sum + count, 0);
}

export async function isOnline({ rig }: Scene, name: string): Promise<boolean> {
  const { terminals } = await rig.gateway.operations.status();
  return terminals.some((terminal) => terminal.name === name && terminal.state === 'online');
}
