import { pbkdf2Sync } from 'node:crypto';
import { chunkAt, chunkCount, digestOf, encodeUser, readRecord } from '@whorl/protocol';
import type { Body, Message, User, UserRecord } from '@whorl/protocol';
import { MODELS } from '../models/built-in.ts';
import type { Flash } from '../firmware/flash.ts';
import type { Terminal } from '../firmware/terminal.ts';
import { bench } from './bench.ts';
import type { Asker, Bench } from './bench.ts';

/** For tests: a portable terminal on the bench, with an operator who may log in. */
export const MIRA = { id: 5, name: 'Mira', pin: '4711' } as const;
export const LOG_IN = { button: 'log-in', operator: MIRA.id, pin: MIRA.pin } as const;
export const TASK = 3;

/** A verifier that is quick to check. */
export function quickVerifier(pin: string): Uint8Array {
  const salt = new Uint8Array(16).fill(7);
  const verifier = new Uint8Array(53);
  verifier.set([1, 1, 0, 0, 0]);
  verifier.set(salt, 5);
  verifier.set(pbkdf2Sync(pin, salt, 1, 32, 'sha256'), 21);
  return verifier;
}

/** @param options synced: it has synced once, and holds the users 1 to 3 */
export function portableBench({ flash, synced = false }: { flash?: Flash; synced?: boolean } = {}): Bench {
  const made = bench({ model: MODELS['portable-5k'], ...(flash === undefined ? {} : { flash }) });
  const { asker, terminal } = made;
  if (synced) syncOnce(asker, terminal);
  else {
    asker.hello();
    greetPortable(asker);
  }
  return made;
}

/** Greets a portable terminal, and brings the users 1 to 3 to it. */
export function syncOnce(asker: Asker, terminal: Terminal): void {
  asker.hello();
  greetPortable(asker);
  terminal.press(LOG_IN);
  terminal.press({ button: 'sync', mode: 'synchronise', task: TASK });
  download(asker, [1, 2, 3].map(person));
  end(asker, 'done');
  terminal.press({ button: 'log-out' });
}

/** What a gateway tells a portable terminal that it greets. */
export function greetPortable(asker: Asker): void {
  asker.get('tasks.set', { from: 0, total: 1, tasks: [{ id: TASK, name: 'North gate' }] }, 'list.taken');
  const operators = [{ id: MIRA.id, name: MIRA.name, verifier: quickVerifier(MIRA.pin) }];
  asker.get('operators.set', { from: 0, total: 1, operators }, 'list.taken');
}

export function person(id: number): UserRecord {
  const user: User = {
    id,
    name: `Person ${id}`,
    'card.0': { format: 1, number: Uint8Array.of(id, 2, 3, 4) },
  };
  return readRecord(encodeUser(user));
}

export function wish(asker: Asker): Body<'sync.wish'> {
  return asker.get('sync.ask', {}, 'sync.wish');
}

/** Says how the sync that is wanted stands. @returns whether it was cancelled */
export function tell(
  asker: Asker,
  told: Partial<Body<'sync.tell'>> & Pick<Body<'sync.tell'>, 'stage'>,
): boolean {
  const body = {
    number: wish(asker).number,
    done: 0,
    total: 0,
    bytes: 0,
    rate: 0,
    left: 0,
    reason: '',
    ...told,
  };
  return asker.get('sync.tell', body, 'sync.heard').how.cancelled;
}

export function end(asker: Asker, stage: 'done' | 'failed' | 'refused', reason = ''): void {
  tell(asker, { stage, reason });
}

/** Sends users into the next table, and makes it the live one. */
export function download(asker: Asker, users: readonly UserRecord[]): void {
  asker.get('slice.open', { task: wish(asker).task }, 'slice.state');
  const held = asker.get('users.digests', { after: 0 }, 'users.page').users.map(({ id }) => id);
  const gone = held.filter((id) => !users.some((user) => user.id === id));
  if (gone.length > 0) asker.get('users.remove', { users: gone, after: 0xffff_ffff }, 'users.removed');
  if (users.length > 0) asker.push(users);
  swap(asker);
}

export function swap(asker: Asker): Message {
  const { table } = asker.get('users.digests', { after: 0 }, 'users.page');
  return asker.ask('slice.swap', { table });
}

/** Answers all that is in the journal. @returns how many there were */
export function send(asker: Asker): number {
  const { changes } = asker.get('journal.read', { after: 0 }, 'journal.page');
  for (const { seq } of changes)
    asker.get('journal.settle', { answers: [{ seq, result: 'merged', reason: '' }] }, 'journal.settled');
  return changes.length;
}

/** Sends a part of a file. */
export function sendPart(asker: Asker, file: Uint8Array, from: number, to: number): Message {
  const object = new Uint8Array(20 + to - from);
  object.set(digestOf(file));
  new DataView(object.buffer).setUint32(16, from, true);
  object.set(file.subarray(from, to), 20);
  const head = { size: object.length, chunk: 200, digest: digestOf(object) };
  asker.get('transfer.begin', { transfer: 9, kind: 'file', ...head }, 'transfer.state');
  for (let index = 0; index < chunkCount(head); index += 1)
    asker.all('chunk', { transfer: 9, index, data: chunkAt(object, 200, index) });
  return asker.ask('transfer.commit', { transfer: 9, digest: head.digest, after: 0 });
}
