import { toWire } from '../frame/wire.ts';
import type { MessageName } from '../messages/message.ts';
import { Cpace, PAIRING_ID_BYTES, pairingKey } from '../session/cpace.ts';
import { hkdf, NoiseInitiator, prologueOf, respond } from '../session/noise.ts';
import type { NoiseKeys } from '../session/noise.ts';
import { groupSession, sealedSession } from '../session/sealed.ts';
import type { SealedEnd } from '../session/session.ts';
import { hereWire } from '../roll/roll.ts';
import { sealChunk } from '../transfer/sealed-chunk.ts';
import { patchOf, writePatches } from '../user/patch.ts';
import { fieldDigest } from '../user/digest.ts';
import type { UserRecord } from '../user/record.ts';
import { counting, EXAMPLES } from './examples.ts';

const ADDRESS = 7;
const SERIAL = 'WX-000007';
const CODE = '604411';
const ROLL_CALL = 9;
/** Counters of polls, so far apart as a receiver follows, up to behind the first renewal of a direction's key. */
const POLLS = [1, 30_000, 60_000, 65_537];

/** A handshake with fixed ephemeral keys, and what it leads to; bytes in hex. */
export interface HandshakeVector {
  readonly psk: string;
  readonly prologue: string;
  readonly ephemerals: readonly [gateway: string, terminal: string];
  readonly messages: readonly [open: string, accept: string];
  readonly keys: { readonly forth: string; readonly back: string; readonly slots: string };
}

/** A sealed frame; `counter` is that of who made it. */
export interface SealedVector {
  readonly name: MessageName;
  readonly from: 'gateway' | 'terminal' | 'gateway, to all';
  readonly counter: number;
  readonly wire: string;
}

/** Known answers for sessions: handshake, sealed frames, pairing, what is said to some of a line. */
export interface SessionVectors {
  readonly handshake: HandshakeVector;
  readonly sealed: readonly SealedVector[];
  readonly here: { readonly rollCall: number; readonly wire: string };
  readonly pairing: {
    readonly code: string;
    readonly id: string;
    readonly secrets: readonly [gateway: string, terminal: string];
    readonly shares: readonly [gateway: string, terminal: string];
    readonly psk: string;
  };
  readonly sharedChunk: {
    readonly key: string;
    readonly index: number;
    readonly data: string;
    readonly sealed: string;
  };
  readonly patches: { readonly bytes: string };
}

/** @param user who gets a finger more than in its patch's base */
export function sessionVectors(user: UserRecord): SessionVectors {
  const { vector, keys } = handshake();
  return {
    handshake: vector,
    sealed: sealedFrames(keys),
    here: {
      rollCall: ROLL_CALL,
      wire: hex(hereWire(sealedSession('terminal', keys), ROLL_CALL, ADDRESS, true)),
    },
    pairing: pairing(),
    sharedChunk: sharedChunk(),
    patches: { bytes: hex(writePatches([patchOf(user, without(user))])) },
  };
}

function handshake(): { readonly vector: HandshakeVector; readonly keys: NoiseKeys } {
  const psk = counting(32, 0x01);
  const prologue = prologueOf(SERIAL, ADDRESS);
  const ephemerals = [counting(32, 0x02), counting(32, 0x03)] as const;
  const gateway = new NoiseInitiator({ psk, prologue, ephemeral: ephemerals[0] });
  const open = gateway.begin();
  const { answer, keys } = respond({ psk, prologue, ephemeral: ephemerals[1] }, open);
  const [slots = new Uint8Array(0)] = hkdf(keys.hash, Buffer.concat([keys.forth, keys.back]), 2);
  return {
    keys,
    vector: {
      psk: hex(psk),
      prologue: Buffer.from(prologue).toString(),
      ephemerals: [hex(ephemerals[0]), hex(ephemerals[1])],
      messages: [hex(open), hex(answer)],
      keys: { forth: hex(keys.forth), back: hex(keys.back), slots: hex(slots) },
    },
  };
}

function sealedFrames(keys: NoiseKeys): SealedVector[] {
  const gateway = sealedSession('gateway', keys);
  const terminal = sealedSession('terminal', keys);
  const group = groupSession('gateway', { key: counting(32, 0x04), next: 0 });
  return [
    frame({ end: gateway, name: 'hello', from: 'gateway' }, 0),
    frame({ end: terminal, name: 'welcome', from: 'terminal' }, 0),
    frame({ end: group, name: 'roll.call', from: 'gateway, to all' }, 0),
    ...POLLS.map((counter, i) => {
      for (let skipped = (POLLS[i - 1] ?? 0) + 1; skipped < counter; skipped += 1) gateway.nextSequence();
      return frame({ end: gateway, name: 'poll', from: 'gateway' }, counter);
    }),
  ];
}

function frame(
  said: { readonly end: SealedEnd; readonly name: MessageName; readonly from: SealedVector['from'] },
  counter: number,
): SealedVector {
  const { end, name, from } = said;
  const header = {
    address: from === 'gateway, to all' ? 0 : ADDRESS,
    sequence: from === 'terminal' ? 0 : end.nextSequence(),
    fromTerminal: from === 'terminal',
    attention: from === 'terminal',
  };
  return { name, from, counter, wire: hex(toWire(end, header, name, EXAMPLES[name])) };
}

function pairing(): SessionVectors['pairing'] {
  const id = counting(PAIRING_ID_BYTES, 0x05);
  const secrets = [counting(32, 0x06), counting(32, 0x07)] as const;
  const [gateway, terminal] = secrets.map(
    (secret) => new Cpace({ code: Buffer.from(CODE), channel: prologueOf(SERIAL, ADDRESS), id, secret }),
  );
  if (gateway === undefined || terminal === undefined) throw new Error('two ends pair');
  return {
    code: CODE,
    id: hex(id),
    secrets: [hex(secrets[0]), hex(secrets[1])],
    shares: [hex(gateway.share), hex(terminal.share)],
    psk: hex(pairingKey(gateway.key({ share: terminal.share }, { begins: true }))),
  };
}

function sharedChunk(): SessionVectors['sharedChunk'] {
  const [key, index, data] = [counting(32, 0x08), 3, counting(24, 0x09)];
  return { key: hex(key), index, data: hex(data), sealed: hex(sealChunk(key, index, data)) };
}

/** Digests of all fields but the last. */
function without(user: UserRecord): Map<number, Uint8Array> {
  const fields = [...user.fields].slice(0, -1);
  return new Map(fields.map(([number, value]) => [number, fieldDigest(number, value)]));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
