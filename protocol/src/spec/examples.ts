import type { Body, MessageName } from '../messages/message.ts';
import type { User } from '../user/user.ts';
import { digestOf } from '../user/digest.ts';

/** Bytes that anyone can make again: `from`, `from + 7`, `from + 14`, … */
export function counting(length: number, from: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => from + 7 * i);
}

const DIGEST = digestOf(new Uint8Array(0));
const LOG = { epoch: 1, first: 1, last: 88 };
const TIME = Date.UTC(2026, 0, 1);

/** Users as small as they can be and still show every kind of field. */
export const EXAMPLE_USERS: readonly User[] = [
  { id: 7 },
  {
    id: 1042,
    name: 'Zoë',
    validity: { from: TIME / 1000, until: 0 },
    authMode: 'card+finger',
    groups: [1, 300],
    'card.0': { format: 1, number: counting(7, 4) },
    'finger.3': { format: 2, quality: 80, first: counting(12, 1), second: counting(10, 2) },
    photo: counting(5, 0xff),
  },
  {
    id: 0xffff_ffff,
    pin: counting(16, 9),
    'card.7': { format: 2, number: new Uint8Array(0) },
    'face.4': { format: 1, quality: 100, template: counting(20, 3) },
  },
];

/** One of each message, for SPEC.md and the test vectors. */
export const EXAMPLES: { readonly [Name in MessageName]: Body<Name> } = {
  hello: {},
  welcome: {
    serial: 'WX-0001',
    model: 'finger-10k',
    firmware: '1.2.3',
    boots: 3,
    clock: TIME,
    users: 2,
    table: DIGEST,
    log: LOG,
    capabilities: {
      users: 10_000,
      logs: 50_000,
      cards: 2,
      fingers: 10,
      faces: 0,
      does: { patches: true },
      holds: { validity: true, pin: true, authMode: false, groups: true, photo: false },
      cardFormats: [1],
      fingerFormats: [1, 2],
      faceFormats: [],
      mtu: 1100,
      window: 1,
    },
  },
  discover: {},
  present: { serial: 'WX-000007', key: counting(8, 0x11) },
  'session.open': { handshake: counting(48, 0x21) },
  'session.accept': { handshake: counting(48, 0x22) },
  'pair.begin': { id: counting(16, 0x31), share: counting(32, 0x32) },
  'pair.share': { share: counting(32, 0x33) },
  'pair.open': { handshake: counting(48, 0x34) },
  'pair.accept': { handshake: counting(48, 0x35) },
  'pair.key': { key: counting(32, 0x36) },
  'pair.kept': {},
  'group.set': { key: counting(32, 0x23), next: 70_000 },
  'group.taken': {},
  'roll.call': { number: 7, slot: 213, first: 1, members: [0b0000_1111] },
  poll: {},
  idle: {},
  refused: { request: 0x20, reason: 'no-such-user' },
  'logs.read': { after: 87 },
  'logs.page': {
    log: LOG,
    records: [{ id: 88, time: TIME + 123, code: 0x0101, origin: 'terminal', user: 1042, detail: 0x43 }],
  },
  'clock.set': { clock: TIME },
  'clock.was': { clock: TIME - 1500 },
  'user.pull': { user: 1042, known: [{ field: 1, digest: counting(8, 0x61) }] },
  'users.remove': { users: [7, 1042] },
  'users.removed': {},
  'users.digests': { after: 0 },
  'users.page': { table: DIGEST, users: [{ id: 1042, digest: DIGEST }] },
  'sketch.read': { from: 0, count: 32 },
  'sketch.page': { table: DIGEST, symbols: counting(24, 0x41) },
  'transfer.begin': { transfer: 5, kind: 'users', size: 900, chunk: 500, digest: DIGEST },
  'transfer.announce': {
    transfer: 5,
    kind: 'users',
    size: 3000,
    chunk: 1024,
    digest: DIGEST,
    first: 1,
    members: [0b0000_0111],
  },
  'transfer.share': {
    transfer: 5,
    kind: 'patches',
    size: 900,
    chunk: 500,
    digest: DIGEST,
    key: counting(32, 0x72),
  },
  'transfer.ask': { transfer: 5, from: 0 },
  'transfer.state': { transfer: 5, received: 1, from: 0, bitmap: [2] },
  chunk: { transfer: 5, index: 1, data: counting(12, 0) },
  'transfer.fetch': { transfer: 9, first: 0, count: 2 },
  'transfer.offered': {
    transfer: 9,
    size: 900,
    chunk: 500,
    digest: DIGEST,
    user: counting(16, 0x71),
    same: [1],
  },
  'transfer.commit': { transfer: 5, digest: DIGEST, after: 88 },
  'transfer.committed': { transfer: 5, digest: DIGEST, refused: [{ index: 1, reason: 'capacity-full' }] },
};
