import {
  BROADCAST,
  chunkAt,
  digestOf,
  encodeMessage,
  fieldDigest,
  isMember,
  MTU_MAX,
  readBatch,
  readPatches,
  recordDigest,
  sealChunk,
  writeBatch,
  writePatches,
} from '@whorl/protocol';
import type { Body, Message, UserRecord } from '@whorl/protocol';
import { pseudonymous } from '@whorl/device-emulator/fleet/dump';
import { Objects } from './objects.ts';
import type { Exchanges } from './exchanges.ts';
import type { Packet } from './packets.ts';
import type { Answer, Ask } from './recording.ts';
import { toldLines } from './told.ts';
import { PAIRING } from './what.ts';

const KEY_BYTES = 32;
/** Of a field's digest, as pulls tell it: 8 bytes. */
const PREFIX_HEX = 16;

/** What a recorded gateway said, so that it can be said again, and what it was answered. */
export interface Asks {
  readonly asks: Ask[];
  readonly answers: Answer[];
}

/**
 * Takes out of packets what the gateway said to terminals. Users are replaced by pseudonyms and keys by numbers, with
 * all digests that follow from them; what cannot be said again without secrets is left out.
 */
export function asksOf(
  packets: readonly Packet[],
  { fates, asked }: Pick<Exchanges, 'fates' | 'asked'>,
  salt: Uint8Array,
): Asks {
  const stand = new StandIns(packets, salt);
  const asks: Ask[] = [];
  const answers: Answer[] = [];
  /** By line and address: the pull that has not been answered yet. */
  const pulls = new Map<string, Ask>();
  const missing = new Missing();
  const addresses = addressesOf(packets);
  for (const { number: packet, atMs, line, decoded } of packets) {
    const answer = (address: number, to: number | undefined, lines: string[]): void => {
      answers.push({ packet, atMs, line, address, ...(to === undefined ? {} : { to }), lines });
    };
    if (decoded.kind === 'here')
      answer(decoded.address, missing.here(line, decoded.address)?.packet, ['here']);
    if (decoded.kind !== 'plain' && decoded.kind !== 'opened') continue;
    const { address, sequence, fromTerminal } = decoded.header;
    const { message } = decoded;
    if (message.name === 'transfer.state') missing.told(line, address, message.body);
    if (PAIRING.has(message.name)) continue;
    if (fromTerminal) {
      answer(address, asked.get(packet), toldLines(message));
      if (message.name === 'transfer.committed') missing.had(line, address, message.body.transfer);
      const pull = pulls.get(`${line} ${address}`);
      if (message.name === 'transfer.offered' && pull !== undefined) pull.offered = message.body.transfer;
      continue;
    }
    const said = stand.for(line, message);
    if (said === undefined) continue;
    // Nobody answers a chunk.
    const fate = said.name === 'chunk' ? undefined : fates.get(packet);
    const ask: Ask = {
      ...{ packet, atMs, line, address, sequence, payload: hexOf(said) },
      ...(fate === undefined ? {} : { fate }),
    };
    asks.push(ask);
    missing.said(ask, said);
    if (said.name === 'roll.call')
      missing.called(
        ask,
        (addresses.get(line) ?? []).filter((one) => isMember(said.body, one)),
      );
    if (said.name === 'user.pull') pulls.set(`${line} ${address}`, ask);
  }
  return { asks, answers };
}

/** Who was ever asked or heard, by line. */
function addressesOf(packets: readonly Packet[]): ReadonlyMap<string, readonly number[]> {
  const found = packets.flatMap(({ line, decoded }) => {
    const address = 'header' in decoded ? decoded.header?.address : undefined;
    return address === undefined || address === BROADCAST ? [] : [{ line, address }];
  });
  return new Map(
    [...Map.groupBy(found, ({ line }) => line)].map(([line, all]) => [
      line,
      [...new Set(all.map(({ address }) => address))],
    ]),
  );
}

function hexOf({ name, body }: Message): string {
  const bytes = new Uint8Array(2 * MTU_MAX);
  return hex(bytes.subarray(0, encodeMessage(name, body, bytes, 0)));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

interface Pieces {
  readonly said: { readonly ask: Ask; readonly index: number }[];
  /** By address: how many had been said when it told last what had arrived. */
  readonly told: Map<number, number>;
}

/** Who did not hear what nobody, or not everybody, answers: chunks, as far as it was told, and calls of the roll. */
class Missing {
  /** By line and digest: an object may be begun again under another number. */
  readonly #objects = new Map<string, Pieces>();
  /** By line and transfer. */
  readonly #transfers = new Map<string, Pieces>();

  /** By line: the last call of the roll. */
  readonly #calls = new Map<string, Ask>();

  /** @param addresses of who is called: until they answer they have not heard it */
  called(ask: Ask, addresses: number[]): void {
    ask.missed = addresses;
    this.#calls.set(ask.line, ask);
  }

  /** @returns the call that it answers */
  here(line: string, address: number): Ask | undefined {
    const ask = this.#calls.get(line);
    if (ask !== undefined) ask.missed = ask.missed?.filter((one) => one !== address);
    return ask;
  }

  /** It had all of it; what it tells of the same object from now on is about what is said from now on. */
  had(line: string, address: number, transfer: number): void {
    const pieces = this.#transfers.get(`${line} ${transfer}`);
    pieces?.told.set(address, pieces.said.length);
  }

  said(ask: Ask, message: Message): void {
    const { line } = ask;
    if (BEGINNINGS.has(message.name) && 'digest' in message.body && 'transfer' in message.body) {
      const object = `${line} ${hex(message.body.digest)}`;
      const known = this.#objects.get(object) ?? { said: [], told: new Map() };
      this.#objects.set(object, known);
      this.#transfers.set(`${line} ${message.body.transfer}`, known);
    }
    if (message.name === 'chunk')
      this.#transfers.get(`${line} ${message.body.transfer}`)?.said.push({ ask, index: message.body.index });
  }

  told(line: string, address: number, { transfer, from, bitmap }: Body<'transfer.state'>): void {
    const pieces = this.#transfers.get(`${line} ${transfer}`);
    if (pieces === undefined) return;
    for (const { ask, index } of pieces.said.slice(pieces.told.get(address) ?? 0)) {
      if (ask.address !== BROADCAST && ask.address !== address) continue;
      const bit = index - from;
      const arrived = bit < 0 || ((bitmap[bit >> 3] ?? 0) & (1 << (bit & 7))) !== 0;
      if (!arrived) (ask.missed ??= []).push(address);
    }
    pieces.told.set(address, pieces.said.length);
  }
}

const BEGINNINGS = new Set<Message['name']>(['transfer.begin', 'transfer.announce', 'transfer.share']);

interface Sent {
  readonly bytes: Uint8Array;
  readonly key: Uint8Array | undefined;
}

/** What stands in for all that tells of people, and for keys. */
class StandIns {
  readonly #salt: Uint8Array;
  /** Digests of fields and users, in hex, and those of their pseudonyms. */
  readonly #digests = new Map<string, Uint8Array>();
  readonly #prefixes = new Map<string, Uint8Array>();
  /** Objects that were sent, by their digest in hex. */
  readonly #objects = new Map<string, { readonly bytes: Uint8Array; readonly kind: 'users' | 'patches' }>();
  readonly #keys = new Map<string, number>();
  /** By line and transfer: what is on its way. */
  readonly #sent = new Map<string, Sent & { readonly chunk: number }>();

  constructor(packets: readonly Packet[], salt: Uint8Array) {
    this.#salt = salt;
    const tracked = new Objects((bytes, kind) => {
      if (kind === 'users' || kind === 'patches') this.#objects.set(hex(digestOf(bytes)), { bytes, kind });
    });
    for (const { decoded, line } of packets) {
      if (decoded.kind !== 'opened') continue;
      const { address, fromTerminal } = decoded.header;
      const own = fromTerminal || decoded.message.name === 'transfer.offered';
      const place = own ? `${line} ${address}` : line;
      for (const record of tracked.take(place, decoded.message, fromTerminal)) this.#know(record);
    }
  }

  #know(record: UserRecord): void {
    const other = pseudonymous(record, this.#salt);
    this.#digests.set(hex(recordDigest(record)), recordDigest(other));
    for (const [number, value] of record.fields)
      this.#prefixes.set(
        `${number} ${hex(fieldDigest(number, value)).slice(0, PREFIX_HEX)}`,
        fieldDigest(number, other.fields.get(number) ?? value),
      );
  }

  /** What is said instead of a message; `undefined` for what is not said again. */
  for(line: string, message: Message): Message | undefined {
    switch (message.name) {
      case 'group.set':
        return { name: 'group.set', body: { key: this.#key(message.body.key), next: 0 } };
      case 'user.pull':
        return { name: 'user.pull', body: this.#pull(message.body) };
      case 'transfer.begin':
        return { ...message, body: this.#begin(line, message.body, undefined) };
      case 'transfer.announce':
        return { ...message, body: this.#begin(line, message.body, undefined) };
      case 'transfer.share':
        return { ...message, body: this.#begin(line, message.body, this.#key(message.body.key)) };
      case 'chunk':
        return this.#chunk(line, message.body);
      case 'transfer.commit':
        return { ...message, body: { ...message.body, digest: this.#digestOf(message.body.digest) } };
      default:
        return AS_IT_WAS.has(message.name) ? message : undefined;
    }
  }

  /** Keys are told apart, and nothing else. */
  #key(key: Uint8Array): Uint8Array {
    const number = this.#keys.get(hex(key)) ?? this.#keys.size + 1;
    this.#keys.set(hex(key), number);
    const other = new Uint8Array(KEY_BYTES);
    new DataView(other.buffer).setUint32(0, number);
    return other;
  }

  #pull({ user, known }: Body<'user.pull'>): Body<'user.pull'> {
    return {
      user,
      known: known.map(({ field, digest }) => ({
        field,
        digest: this.#prefixes.get(`${field} ${hex(digest)}`)?.subarray(0, digest.length) ?? digest,
      })),
    };
  }

  #begin<Head extends Body<'transfer.begin' | 'transfer.announce' | 'transfer.share'>>(
    line: string,
    body: Head,
    key: Uint8Array | undefined,
  ): Head {
    const bytes = this.#object(body.digest);
    if (bytes === undefined) return body;
    this.#sent.set(`${line} ${body.transfer}`, { bytes, key, chunk: body.chunk });
    return { ...body, size: bytes.length, digest: digestOf(bytes), ...(key === undefined ? {} : { key }) };
  }

  #chunk(line: string, body: Body<'chunk'>): Message | undefined {
    const sent = this.#sent.get(`${line} ${body.transfer}`);
    if (sent === undefined) return undefined;
    const data = chunkAt(sent.bytes, sent.chunk, body.index);
    return {
      name: 'chunk',
      body: { ...body, data: sent.key === undefined ? data : sealChunk(sent.key, body.index, data) },
    };
  }

  #digestOf(digest: Uint8Array): Uint8Array {
    const bytes = this.#object(digest);
    return bytes === undefined ? digest : digestOf(bytes);
  }

  /** The object that stands in for the one with this digest. */
  #object(digest: Uint8Array): Uint8Array | undefined {
    const found = this.#objects.get(hex(digest));
    if (found === undefined) return undefined;
    const { bytes, kind } = found;
    const as = (record: UserRecord): UserRecord => pseudonymous(record, this.#salt);
    if (kind === 'users') return writeBatch(readBatch(bytes).map(as));
    return writePatches(
      readPatches(bytes).map(({ base, removed, changed }) => ({
        ...{ removed, changed: as(changed) },
        base: this.#digests.get(hex(base)) ?? base,
      })),
    );
  }
}

/** Tells nothing of anybody but ids. */
const AS_IT_WAS = new Set<Message['name']>([
  ...(['discover', 'session.open', 'hello', 'poll', 'roll.call', 'logs.read', 'clock.set'] as const),
  ...(['clock.read', 'users.remove', 'users.digests', 'sketch.read', 'transfer.fetch'] as const),
  'transfer.ask',
]);
