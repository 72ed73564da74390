import { fixed, flags, group, list, oneOf, rest, text, time, u16, u32, u8 } from '../codec/codec.ts';
import type { Value } from '../codec/codec.ts';
import { MTU_MAX, MTU_MIN } from '../frame/frame.ts';
import { LOG_RECORD } from '../log/log.ts';
import { KEY_BYTES } from '../session/noise.ts';
import { DIGEST_BYTES } from '../user/digest.ts';
import { PORTABLE_ROWS } from './portable-rows.ts';
import type { MessageRow } from './row.ts';
import { SESSION_ROWS } from './session-rows.ts';

export * from './portable-rows.ts';
export type { MessageRow } from './row.ts';

/** Why a terminal refuses a request or one item of it. */
export const REFUSALS = {
  'no-session': 1,
  'unknown-message': 2,
  malformed: 3,
  busy: 4,
  'no-such-user': 5,
  'no-such-transfer': 6,
  'capacity-full': 7,
  'format-mismatch': 8,
  'too-large': 9,
  incomplete: 10,
  corrupt: 11,
  'flash-failed': 12,
  'changed-here': 13,
  'not-pairing': 14,
  'wrong-code': 15,
  'other-base': 16,
  'no-such-slice': 17,
  'other-table': 18,
  'unsent-changes': 19,
  'no-such-file': 20,
} as const satisfies Record<string, number>;

export type Refusal = keyof typeof REFUSALS;

/** Symbols of its sketch that a terminal answers with, the first of all. */
export const SKETCH_SYMBOLS = 4096;
export const SYMBOLS_PER_PAGE = 80;
export const USERS_PER_REMOVE = 50;
export const DIGESTS_PER_PAGE = 50;
export const LOGS_PER_PAGE = 50;
/** Fields that `user.pull` names at most, with so many bytes of their digests. */
export const KNOWN_FIELDS = 24;
export const KNOWN_DIGEST_BYTES = 8;
/** Bytes of the bitmap in a transfer's state: so many times eight chunks are told of at once. */
export const BITMAP_BYTES = 64;
export const TRANSFER_MAX_BYTES = 1 << 20;

/** Objects that are sent to terminals: whole users, what changed of them, or a part of a file. */
export const OBJECT_KINDS = { users: 1, patches: 2, file: 3 } as const;
export type ObjectKind = keyof typeof OBJECT_KINDS;

const CAPABILITIES = group('What the terminal can hold and do.', {
  users: u32('Most users.'),
  logs: u32('Log records kept before the oldest is overwritten.'),
  cards: u8('Card slots of a user.', { max: 8 }),
  fingers: u8('Finger slots of a user.', { max: 10 }),
  faces: u8('Face slots of a user.', { max: 5 }),
  does: flags('What it can do besides.', { patches: 1, portable: 2, clock: 4 }),
  holds: flags('Other fields it holds.', { validity: 1, pin: 2, authMode: 4, groups: 8, photo: 16 }),
  cardFormats: list('Card formats it takes.', u8('Format.'), 16),
  fingerFormats: list('Finger template formats it takes.', u8('Format.'), 16),
  faceFormats: list('Face template formats it takes.', u8('Format.'), 16),
  mtu: u16('Most bytes of a frame on the wire.', { unit: 'bytes', min: MTU_MIN, max: MTU_MAX }),
  window: u8('Requests it takes before it has answered the first; 1 on a shared line.', { min: 1, max: 64 }),
});

export type Capabilities = Value<typeof CAPABILITIES>;

const LOG_STATE = group('Where its log stands.', {
  epoch: u32('Changes when ids start again: after a factory reset.'),
  first: u32('Oldest record kept; 0 when the log is empty.'),
  last: u32('Newest record; 0 when there never was one.'),
});

export type LogState = Value<typeof LOG_STATE>;

const REASON = oneOf('Why.', REFUSALS);
/** So that the gateway knows it while users come and go. */
const users = u32('Users it holds now.');
const digest = (doc: string): ReturnType<typeof fixed> => fixed(doc, DIGEST_BYTES);
const transfer = u16('Number of the transfer, chosen by the sender of its object.');
const kind = oneOf('What the object is.', OBJECT_KINDS);
/** What is known of an object before its first chunk. */
const HEAD = {
  size: u32('Bytes of the object.', { unit: 'bytes', min: 1, max: TRANSFER_MAX_BYTES }),
  chunk: u16('Bytes of each chunk but the last.', { unit: 'bytes', min: 64, max: MTU_MAX }),
  digest: digest('Digest of the object.'),
} as const;

export const CATALOGUE = {
  ...SESSION_ROWS,
  hello: {
    type: 0x01,
    direction: 'to-terminal',
    answer: 'welcome',
    work: 'memory',
    fields: {},
    doc: 'The first request of a session; whatever was under way on an older one is forgotten, staged transfers are not.',
  },
  welcome: {
    type: 0x81,
    direction: 'to-gateway',
    fields: {
      serial: text('Serial number, unique in the world.', 32),
      model: text('Model.', 32),
      firmware: text('Firmware version.', 24),
      boots: u32('Starts since it was made.'),
      clock: time('Its clock.'),
      users: u32('Users it holds.'),
      table: digest('Digest of its user table.'),
      log: LOG_STATE,
      capabilities: CAPABILITIES,
    },
    doc: 'Who the terminal is and how it stands.',
  },
  poll: {
    type: 0x02,
    direction: 'to-terminal',
    answer: 'idle',
    work: 'memory',
    fields: {},
    doc: 'Asks for a sign of life; the attention bit of the answer says whether there are logs.',
  },
  idle: { type: 0x82, direction: 'to-gateway', fields: {}, doc: 'A sign of life.' },
  'roll.call': {
    type: 0x03,
    direction: 'to-terminal',
    fields: {
      number: u32('Higher than that of every roll call before it in the session.'),
      slot: u16('Length of a slot.', { unit: '10 µs', min: 1 }),
      first: u8('Address of the first bit.', { min: 1, max: 247 }),
      members: list('A bit a terminal, low bits first: 1 is called.', u8('Eight terminals.'), 31),
    },
    doc: 'To address 0: each terminal that is called answers in its slot with a short frame that its session authenticates. The n-th of them, from 0, begins n slots behind the call and its own turnaround.',
  },
  refused: {
    type: 0x8f,
    direction: 'to-gateway',
    fields: { request: u8('Type of the request.'), reason: REASON },
    doc: 'Answers any request that was not carried out; nothing was changed.',
  },
  'logs.read': {
    type: 0x10,
    direction: 'to-terminal',
    answer: 'logs.page',
    work: 'memory',
    fields: { after: u32('Last record that the gateway has stored; 0 for none.') },
    doc: 'Asks for the next records. The terminal takes it that all up to `after` are safe.',
  },
  'logs.page': {
    type: 0x90,
    direction: 'to-gateway',
    fields: { log: LOG_STATE, users, records: list('Records, ascending.', LOG_RECORD, LOGS_PER_PAGE) },
    doc: 'The next records; none when there are no newer ones.',
  },
  'clock.set': {
    type: 0x11,
    direction: 'to-terminal',
    answer: 'clock.was',
    work: 'flash',
    fields: { clock: time('What the clock shall show.') },
    doc: 'Sets the clock.',
  },
  'clock.was': {
    type: 0x91,
    direction: 'to-gateway',
    fields: { clock: time('What the clock showed before.') },
    doc: 'The clock is set.',
  },
  'clock.read': {
    type: 0x12,
    direction: 'to-terminal',
    answer: 'clock.is',
    work: 'memory',
    fields: {},
    doc: 'Asks what the clock shows. For terminals whose capabilities say `clock`; of others it is known when they are greeted.',
  },
  'clock.is': {
    type: 0x92,
    direction: 'to-gateway',
    fields: { clock: time('What the clock shows.') },
    doc: 'The clock, when the answer was made.',
  },
  'user.pull': {
    type: 0x20,
    direction: 'to-terminal',
    answer: 'transfer.offered',
    work: 'flash',
    fields: {
      user: u32('User id.'),
      known: list(
        'Fields that the gateway has, and need not be sent when they are the same; as many as fit.',
        group('A field.', {
          field: u8('Its number.'),
          digest: fixed('First bytes of its digest.', KNOWN_DIGEST_BYTES),
        }),
        KNOWN_FIELDS,
      ),
    },
    doc: 'Asks for a full user. The terminal holds ready an object: a record of the fields that are not the same.',
  },
  'users.remove': {
    type: 0x21,
    direction: 'to-terminal',
    answer: 'users.removed',
    work: 'flash',
    fields: {
      users: list('User ids.', u32('User id.'), USERS_PER_REMOVE),
      after: u32(
        'Last log record that the gateway has stored; 4294967295 for whoever is to go whatever was changed there.',
      ),
    },
    doc: 'Removes users, all or none; one that is not there counts as removed. When one was changed at the terminal by a log record newer than `after`, it is refused as `changed-here`: the gateway has not seen that change, and nobody else has it.',
  },
  'users.removed': {
    type: 0xa1,
    direction: 'to-gateway',
    fields: { users },
    doc: 'None of these users is held any more.',
  },
  'users.digests': {
    type: 0x22,
    direction: 'to-terminal',
    answer: 'users.page',
    work: 'memory',
    fields: { after: u32('Users with higher ids; 0 to begin.') },
    doc: 'Asks who is held, with digests.',
  },
  'users.page': {
    type: 0xa2,
    direction: 'to-gateway',
    fields: {
      table: digest('Digest of the whole user table.'),
      users: list(
        'Users, by ascending id.',
        group('A user.', { id: u32('User id.'), digest: digest('Digest of the user.') }),
        DIGESTS_PER_PAGE,
      ),
    },
    doc: 'The next users; none when there are no more.',
  },
  'sketch.read': {
    type: 0x23,
    direction: 'to-terminal',
    answer: 'sketch.page',
    work: 'memory',
    fields: {
      from: u16('First symbol.', { max: SKETCH_SYMBOLS - 1 }),
      count: u8('How many.', { min: 1, max: SYMBOLS_PER_PAGE }),
    },
    doc: 'Asks for symbols of the sketch of the user table; see section 10.',
  },
  'sketch.page': {
    type: 0xa3,
    direction: 'to-gateway',
    fields: {
      table: digest('Digest of the whole user table.'),
      symbols: rest('Symbols, as many as were asked for or fit.', SYMBOLS_PER_PAGE * 12),
    },
    doc: 'Symbols of the sketch, as it is now.',
  },
  'transfer.begin': {
    type: 0x30,
    direction: 'to-terminal',
    answer: 'transfer.state',
    work: 'flash',
    fields: {
      transfer,
      kind,
      ...HEAD,
    },
    doc: 'Announces an object. When the same one (digest, size, chunk) is already staged, what has arrived of it stays.',
  },
  'transfer.announce': {
    type: 0x35,
    direction: 'to-terminal',
    fields: {
      transfer,
      kind,
      ...HEAD,
      first: u8('Address of the first bit.', { min: 1, max: 247 }),
      members: list('A bit a terminal, low bits first: 1 is meant.', u8('Eight terminals.'), 31),
    },
    doc: 'To address 0: as `transfer.begin`, for the terminals that are meant. Its chunks follow to address 0; each terminal commits for itself.',
  },
  'transfer.share': {
    type: 0x36,
    direction: 'to-terminal',
    answer: 'transfer.state',
    work: 'flash',
    fields: {
      transfer,
      kind,
      ...HEAD,
      key: fixed('Key of its chunks.', KEY_BYTES, { secret: true }),
    },
    doc: 'As `transfer.begin`, for an object whose chunks follow to address 0 and are sealed once more under this key: not all terminals of the line may hold it.',
  },
  'transfer.ask': {
    type: 0x31,
    direction: 'to-terminal',
    answer: 'transfer.state',
    work: 'memory',
    fields: { transfer, from: u16('First chunk of interest.') },
    doc: 'Asks which chunks have arrived.',
  },
  'transfer.state': {
    type: 0xb1,
    direction: 'to-gateway',
    fields: {
      transfer,
      received: u16('Chunks that have arrived in all.'),
      from: u16('Chunk of the bitmap’s first bit.'),
      bitmap: list('A bit a chunk, low bits first: 1 has arrived.', u8('Eight chunks.'), BITMAP_BYTES),
    },
    doc: 'What has arrived.',
  },
  chunk: {
    type: 0x32,
    direction: 'both',
    fields: {
      transfer,
      index: u16('Which chunk, from 0.'),
      data: rest('Its bytes.', MTU_MAX, { secret: true }),
    },
    doc: 'A piece of an object. Towards the terminal it is not answered.',
  },
  'transfer.fetch': {
    type: 0x33,
    direction: 'to-terminal',
    answer: 'chunk',
    work: 'memory',
    fields: { transfer, first: u16('First chunk.'), count: u8('How many.', { min: 1, max: 64 }) },
    doc: 'Asks for chunks of an offered object; each comes as an answer of its own.',
  },
  'transfer.offered': {
    type: 0xb3,
    direction: 'to-gateway',
    fields: {
      transfer,
      ...HEAD,
      user: digest('Digest of the whole user.'),
      same: list('Fields that are as the gateway has them.', u8('Number of a field.'), KNOWN_FIELDS),
    },
    doc: 'An object is ready to be fetched.',
  },
  'transfer.commit': {
    type: 0x34,
    direction: 'to-terminal',
    answer: 'transfer.committed',
    work: 'flash',
    fields: {
      transfer,
      digest: digest(
        'Digest of the object that is meant: who can speak to all cannot have another one put in place.',
      ),
      after: u32('Last log record that the gateway has stored; 0 for none.'),
    },
    doc: 'Checks the digest of a complete object and puts what it holds in place, each item whole or not at all. A user changed at the terminal by a log record newer than `after` is refused as `changed-here`: the gateway has not seen that change and would wipe it out.',
  },
  'transfer.committed': {
    type: 0xb4,
    direction: 'to-gateway',
    fields: {
      transfer,
      digest: digest(
        'Digest of the digests of the users now held for the items that were taken, in their order; of a part of a file, its own.',
      ),
      refused: list(
        'Items that were not taken.',
        group('An item.', { index: u8('Which, from 0.'), reason: REASON }),
        200,
      ),
      users,
    },
    doc: 'The object is in place; what was staged is gone.',
  },
  ...PORTABLE_ROWS,
} as const satisfies Record<string, MessageRow>;
