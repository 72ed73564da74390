import { performance } from 'node:perf_hooks';
import { decode as msgpackDecode, Encoder } from '@msgpack/msgpack';
import avsc from 'avsc';
import { Builder, ByteBuffer } from 'flatbuffers';
import protobuf from 'protobufjs';
import { compileValue, decodeUser, encodeUserInto, LOG_RECORD } from '@whorl/protocol';
import type { LogRecord, User } from '@whorl/protocol';
import { median } from './store.ts';
import { fullUser } from './users.ts';

const ROUNDS = 7;

/** The full user as the peers' schemas have it: what repeats is a list there. */
interface PlainUser {
  readonly id: number;
  readonly name: string;
  readonly from: number;
  readonly until: number;
  readonly cards: { slot: number; format: number; number: Uint8Array }[];
  readonly fingers: {
    slot: number;
    format: number;
    quality: number;
    first: Uint8Array;
    second: Uint8Array;
  }[];
  readonly photo: Uint8Array;
}

/** Our codec's rate ÷ the best peer's in the same run, for a full user and for one log record. */
export async function benchCodec({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  const user = fullUser(1042);
  const event: LogRecord = {
    id: 88,
    time: 1_767_225_600_123,
    code: 0x0101,
    origin: 'terminal',
    user: 1042,
    detail: 0x40,
  };
  const users = contest(ourUser(user), userPeers(plain(user)), quick ? 300 : 3000);
  const events = contest(ourEvent(event), eventPeers(event), quick ? 20_000 : 200_000);
  return {
    'codec.user_encode': users.encode,
    'codec.user_decode': users.decode,
    'codec.event_encode': events.encode,
    'codec.event_decode': events.decode,
  };
}

type Runner = Readonly<Record<'encode' | 'decode', () => number>>;

/** Ratios to the fastest peer, the median of rounds in which all take turns. */
function contest(ours: Runner, peers: readonly Runner[], times: number): Record<'encode' | 'decode', number> {
  const ratio = (way: 'encode' | 'decode'): number => {
    const rounds = Array.from({ length: ROUNDS }, () => {
      const mine = secondsFor(ours[way], times);
      return Math.min(...peers.map((peer) => secondsFor(peer[way], times))) / mine;
    });
    return median(rounds.slice(1));
  };
  return { encode: ratio('encode'), decode: ratio('decode') };
}

let sink = 0;

function secondsFor(work: () => number, times: number): number {
  const began = performance.now();
  for (let i = 0; i < times; i += 1) sink ^= work();
  return performance.now() - began;
}

function ourUser(user: User): Runner {
  const out = new Uint8Array(64 * 1024);
  const bytes = out.slice(0, encodeUserInto(user, out, 0));
  return {
    encode: () => encodeUserInto(user, out, 0),
    decode: () => {
      const read = decodeUser(bytes);
      return read.id + (read['finger.9']?.second.length ?? 0) + (read.photo?.length ?? 0);
    },
  };
}

function ourEvent(event: LogRecord): Runner {
  const codec = compileValue<LogRecord>('log record', LOG_RECORD);
  const out = new Uint8Array(64);
  const bytes = out.slice(0, codec.encode(event, out, 0));
  return {
    encode: () => codec.encode(event, out, 0),
    decode: () => codec.decode(bytes, 0, bytes.length).user,
  };
}

function plain(user: User): PlainUser {
  const fingers = Array.from({ length: 10 }, (_, slot) => ({
    slot,
    ...(user[`finger.${slot}` as 'finger.0'] ?? {
      format: 0,
      quality: 0,
      first: new Uint8Array(),
      second: new Uint8Array(),
    }),
  }));
  const cards = Array.from({ length: 2 }, (_, slot) => ({
    slot,
    ...(user[`card.${slot}` as 'card.0'] ?? { format: 0, number: new Uint8Array() }),
  }));
  return {
    id: user.id,
    name: user.name ?? '',
    from: user.validity?.from ?? 0,
    until: user.validity?.until ?? 0,
    cards,
    fingers,
    photo: user.photo ?? new Uint8Array(),
  };
}

const PROTO = protobuf.parse(`syntax = "proto3";
message Card { uint32 slot = 1; uint32 format = 2; bytes number = 3; }
message Finger { uint32 slot = 1; uint32 format = 2; uint32 quality = 3; bytes first = 4; bytes second = 5; }
message User { uint32 id = 1; string name = 2; uint32 from = 3; uint32 until = 4; repeated Card cards = 5; repeated Finger fingers = 6; bytes photo = 7; }
message Event { uint32 id = 1; double time = 2; uint32 code = 3; uint32 origin = 4; uint32 user = 5; uint32 detail = 6; }`).root;

const finger = {
  name: 'finger',
  type: 'record',
  fields: [
    ...['slot', 'format', 'quality'].map((name) => ({ name, type: 'int' })),
    ...['first', 'second'].map((name) => ({ name, type: 'bytes' })),
  ],
};
const card = {
  name: 'card',
  type: 'record',
  fields: [...['slot', 'format'].map((name) => ({ name, type: 'int' })), { name: 'number', type: 'bytes' }],
};
const AVRO_USER = avsc.Type.forSchema({
  type: 'record',
  name: 'user',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: 'string' },
    { name: 'from', type: 'long' },
    { name: 'until', type: 'long' },
    { name: 'cards', type: { type: 'array', items: card } },
    { name: 'fingers', type: { type: 'array', items: finger } },
    { name: 'photo', type: 'bytes' },
  ],
} as avsc.Schema);
const AVRO_EVENT = avsc.Type.forSchema({
  type: 'record',
  name: 'event',
  fields: ['id', 'time', 'code', 'origin', 'user', 'detail'].map((name) => ({ name, type: 'long' })),
});

function userPeers(user: PlainUser): Runner[] {
  const proto = PROTO.lookupType('User');
  const protoBytes = proto.encode(user).finish();
  const buffers = {
    ...user,
    photo: Buffer.from(user.photo),
    cards: user.cards.map((one) => ({ ...one, number: Buffer.from(one.number) })),
    fingers: user.fingers.map((one) => ({
      ...one,
      first: Buffer.from(one.first),
      second: Buffer.from(one.second),
    })),
  };
  const avroOut = Buffer.alloc(64 * 1024);
  const avroBytes = AVRO_USER.toBuffer(buffers);
  const encoder = new Encoder();
  const packed = encoder.encode(user);
  const builder = new Builder(64 * 1024);
  const flatBytes = flatUser(builder, user).slice();
  const size = (read: PlainUser): number =>
    read.id + (read.fingers[9]?.second.length ?? 0) + read.photo.length;
  return [
    {
      encode: () => proto.encode(user).finish().length,
      decode: () => size(proto.decode(protoBytes) as unknown as PlainUser),
    },
    {
      encode: () => AVRO_USER.encode(buffers, avroOut, 0),
      decode: () => size(AVRO_USER.fromBuffer(avroBytes) as PlainUser),
    },
    {
      encode: () => encoder.encodeSharedRef(user).length,
      decode: () => size(msgpackDecode(packed) as PlainUser),
    },
    { encode: () => flatUser(builder, user).length, decode: () => readFlatUser(flatBytes) },
  ];
}

function eventPeers(event: LogRecord): Runner[] {
  const flat = { ...event, origin: 0 };
  const proto = PROTO.lookupType('Event');
  const protoBytes = proto.encode(flat).finish();
  const avroOut = Buffer.alloc(64);
  const avroBytes = AVRO_EVENT.toBuffer(flat);
  const encoder = new Encoder();
  const packed = encoder.encode(flat);
  const builder = new Builder(128);
  const flatBytes = flatEvent(builder, event).slice();
  return [
    {
      encode: () => proto.encode(flat).finish().length,
      decode: () => (proto.decode(protoBytes) as unknown as LogRecord).user,
    },
    {
      encode: () => AVRO_EVENT.encode(flat, avroOut, 0),
      decode: () => (AVRO_EVENT.fromBuffer(avroBytes) as LogRecord).user,
    },
    {
      encode: () => encoder.encodeSharedRef(flat).length,
      decode: () => (msgpackDecode(packed) as LogRecord).user,
    },
    { encode: () => flatEvent(builder, event).length, decode: () => readFlatEvent(flatBytes) },
  ];
}

/** As `flatc` generates it for a table of the user. */
function flatUser(builder: Builder, user: PlainUser): Uint8Array {
  builder.clear();
  const fingers = user.fingers.map((one) => {
    const first = builder.createByteVector(one.first);
    const second = builder.createByteVector(one.second);
    builder.startObject(5);
    builder.addFieldInt8(0, one.slot, 0);
    builder.addFieldInt8(1, one.format, 0);
    builder.addFieldInt8(2, one.quality, 0);
    builder.addFieldOffset(3, first, 0);
    builder.addFieldOffset(4, second, 0);
    return builder.endObject();
  });
  const cards = user.cards.map((one) => {
    const number = builder.createByteVector(one.number);
    builder.startObject(3);
    builder.addFieldInt8(0, one.slot, 0);
    builder.addFieldInt8(1, one.format, 0);
    builder.addFieldOffset(2, number, 0);
    return builder.endObject();
  });
  const vector = (offsets: readonly number[]): number => {
    builder.startVector(4, offsets.length, 4);
    for (const offset of offsets.toReversed()) builder.addOffset(offset);
    return builder.endVector();
  };
  const [fingerList, cardList, name, photo] = [
    vector(fingers),
    vector(cards),
    builder.createString(user.name),
    builder.createByteVector(user.photo),
  ];
  builder.startObject(7);
  builder.addFieldInt32(0, user.id, 0);
  builder.addFieldOffset(1, name, 0);
  builder.addFieldInt32(2, user.from, 0);
  builder.addFieldInt32(3, user.until, 0);
  builder.addFieldOffset(4, cardList, 0);
  builder.addFieldOffset(5, fingerList, 0);
  builder.addFieldOffset(6, photo, 0);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

/** Reads every field, as a decoder that hands over a user must. */
function readFlatUser(bytes: Uint8Array): number {
  const buffer = new ByteBuffer(bytes);
  const table = buffer.readInt32(0);
  const at = (object: number, field: number): number => object + buffer.__offset(object, 4 + 2 * field);
  const blob = (object: number, field: number): Uint8Array => {
    const where = at(object, field);
    return new Uint8Array(
      bytes.buffer,
      bytes.byteOffset + buffer.__vector(where),
      buffer.__vector_len(where),
    );
  };
  const list = (field: number, read: (object: number) => object): object[] => {
    const where = at(table, field);
    return Array.from({ length: buffer.__vector_len(where) }, (_, i) =>
      read(buffer.__indirect(buffer.__vector(where) + 4 * i)),
    );
  };
  const user = {
    id: buffer.readUint32(at(table, 0)),
    name: buffer.__string(at(table, 1)),
    from: buffer.readUint32(at(table, 2)),
    until: buffer.readUint32(at(table, 3)),
    cards: list(4, (one) => ({
      slot: buffer.readInt8(at(one, 0)),
      format: buffer.readInt8(at(one, 1)),
      number: blob(one, 2),
    })),
    fingers: list(5, (one) => ({
      slot: buffer.readInt8(at(one, 0)),
      format: buffer.readInt8(at(one, 1)),
      quality: buffer.readInt8(at(one, 2)),
      first: blob(one, 3),
      second: blob(one, 4),
    })),
    photo: blob(table, 6),
  };
  return user.id + user.fingers.length + user.photo.length;
}

function flatEvent(builder: Builder, event: LogRecord): Uint8Array {
  builder.clear();
  builder.startObject(6);
  builder.addFieldInt32(0, event.id, 0);
  builder.addFieldFloat64(1, event.time, 0);
  builder.addFieldInt16(2, event.code, 0);
  builder.addFieldInt8(3, event.origin === 'terminal' ? 0 : 1, -1);
  builder.addFieldInt32(4, event.user, 0);
  builder.addFieldInt16(5, event.detail, 0);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

function readFlatEvent(bytes: Uint8Array): number {
  const buffer = new ByteBuffer(bytes);
  const table = buffer.readInt32(0);
  const at = (field: number): number => table + buffer.__offset(table, 4 + 2 * field);
  const event = {
    id: buffer.readUint32(at(0)),
    time: buffer.readFloat64(at(1)),
    code: buffer.readUint16(at(2)),
    origin: buffer.readInt8(at(3)),
    user: buffer.readUint32(at(4)),
    detail: buffer.readUint16(at(5)),
  };
  return event.user + event.id;
}

/** Keeps the engine from leaving out work whose result nobody uses. */
export function used(): number {
  return sink;
}
