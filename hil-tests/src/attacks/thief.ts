import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { openStore } from '@whorl/gateway';
import {
  codeOf,
  decodeMessage,
  groupSession,
  isShort,
  NoiseInitiator,
  plainSession,
  prologueOf,
  readHeader,
  respond,
  sealedSession,
} from '@whorl/protocol';
import type { Body, Message, MessageName, NoiseKeys, Session } from '@whorl/protocol';
import type { Crossing } from '../rig/between.ts';

/** Every key that a thief of the data directory has: the master key, what it opens, and whatever looks like a key. */
export async function keysOnDisk(data: string): Promise<Uint8Array[]> {
  const store = openStore({ data });
  const pairings = [...(await store.pairings()).values()].map(({ key }) => key);
  await store.close();
  const master = Buffer.from(readFileSync(join(data, 'master.key'), 'utf8').trim(), 'base64');
  const db = new DatabaseSync(join(data, 'whorl.db'), { readOnly: true });
  const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const values = tables.flatMap(({ name }) =>
    db
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .flatMap((row) => Object.values(row)),
  );
  db.close();
  const blobs = values.filter((value) => value instanceof Uint8Array).filter(({ length }) => length >= 32);
  return [master, ...pairings, ...blobs.flatMap((blob) => [blob.slice(0, 32), blob.slice(-32)])];
}

/**
 * Reads a capture with all that can be made of these keys: as keys of sessions and broadcasts themselves, and as the
 * pairing keys of the handshakes in it, with `ephemerals` for the gateway's or the terminal's part.
 * @returns how many handshakes a pairing key fitted; and what was opened
 */
export function readWith(
  heard: readonly Crossing[],
  keys: readonly Uint8Array[],
  ephemerals: readonly Uint8Array[],
): { readonly sessions: number; readonly texts: readonly Buffer[] } {
  const openers = keys.flatMap((key): Opener[] => [
    groupSession('terminal', { key, next: 0 }),
    ...bothEnds({ forth: key, back: key, hash: key }),
  ]);
  let sessions = 0;
  for (const [at, crossing] of heard.entries()) {
    const opened = plainOf(crossing);
    if (opened?.name !== 'session.open') continue;
    const address = readHeader(crossing.frame).address;
    const accepted = heard
      .slice(at)
      .map(plainOf)
      .find((message) => message?.name === 'session.accept');
    if (accepted?.name !== 'session.accept') continue;
    const prologue = prologueOf(`WX-terminal-${address}`, address);
    for (const psk of keys) {
      if (answered({ psk, prologue, ephemeral: Buffer.alloc(32, 1) }, opened.body.handshake) === undefined)
        continue;
      sessions += 1;
      for (const ephemeral of ephemerals) {
        const parts = { psk, prologue, ephemeral };
        for (const made of [answered(parts, opened.body.handshake), finished(parts, accepted.body.handshake)])
          if (made !== undefined) openers.push(...bothEnds(made));
      }
    }
  }
  const texts = heard.flatMap(({ frame }) => {
    if (isShort(frame) || !readHeader(frame).sealed) return [];
    const opened = openers.map((opener) => tried(() => opener.open(frame))).find((one) => one !== undefined);
    return opened === undefined ? [] : [Buffer.from(opened.payload)];
  });
  return { sessions, texts };
}

type Opener = Pick<Session, 'open'>;

/** Opens what was said in a session, in either direction. */
function bothEnds(keys: NoiseKeys): Opener[] {
  return [sealedSession('terminal', keys), sealedSession('gateway', keys)];
}

type Parts = ConstructorParameters<typeof NoiseInitiator>[0];

export function answered(parts: Parts, handshake: Uint8Array): NoiseKeys | undefined {
  return tried(() => respond(parts, handshake).keys);
}

function finished(parts: Parts, handshake: Uint8Array): NoiseKeys | undefined {
  return tried(() => {
    const noise = new NoiseInitiator(parts);
    noise.begin();
    return noise.finish(handshake).keys;
  });
}

export function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

export function plainOf({ frame }: Crossing): Message | undefined {
  if (isShort(frame)) return undefined;
  return tried(() => decodeMessage(plainSession.open(frame).payload));
}

export function bodyOf<Name extends MessageName>(said: readonly Crossing[], name: Name): Body<Name> {
  const isIt = (
    message: Message | undefined,
  ): message is Extract<Message, { name: Name }> & { body: Body<Name> } => message?.name === name;
  const found = said.map(plainOf).find(isIt);
  if (found === undefined) throw new Error(`no ${name} was heard`);
  return found.body;
}
