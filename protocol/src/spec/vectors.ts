import { stuff, stuffedMax } from '../frame/cobs.ts';
import { HEADER_BYTES } from '../frame/frame.ts';
import type { FrameHeader, NewHeader } from '../frame/frame.ts';
import { toWire } from '../frame/wire.ts';
import { encodeMessage, MESSAGE_NAMES, rowOf } from '../messages/message.ts';
import type { MessageName } from '../messages/message.ts';
import { plainSession } from '../session/plain.ts';
import { batchDigest, writeBatch } from '../user/batch.ts';
import { digestOf, fieldDigest, NO_DIGEST, recordDigest, toggled } from '../user/digest.ts';
import { Sketch, sketchItem } from '../sketch/sketch.ts';
import { showField } from '../user/fields.ts';
import { readRecord } from '../user/record.ts';
import { encodeUser } from '../user/user.ts';
import type { User } from '../user/user.ts';
import { EXAMPLE_USERS, EXAMPLES } from './examples.ts';
import { sessionVectors } from './session-vectors.ts';
import type { SessionVectors } from './session-vectors.ts';

/** What JSON can carry; bytes are `{ "hex": "…" }`. */
export type Json = string | number | boolean | readonly Json[] | { readonly [key: string]: Json };

const COBS_EXAMPLES: readonly Uint8Array[] = [
  new Uint8Array(0),
  Uint8Array.of(0),
  Uint8Array.of(0x11, 0x22, 0, 0x33),
  new Uint8Array(254).fill(0x55),
  new Uint8Array(255).fill(0x55),
];

const SKETCH_EXAMPLE_SYMBOLS = 16;

/** Known answers for whoever writes firmware or a tool: the content of test-vectors.json. */
export interface TestVectors extends SessionVectors {
  readonly cobs: readonly { readonly bytes: string; readonly stuffed: string }[];
  readonly frames: readonly FrameVector[];
  readonly users: readonly UserVector[];
  /** Of all the users together. */
  readonly table: { readonly digest: string };
  readonly batch: { readonly bytes: string; readonly digest: string; readonly committed: string };
  /** The first symbols of the sketch of all the users. */
  readonly sketch: { readonly tags: readonly number[]; readonly symbols: string };
}

interface FrameVector extends Required<NewHeader> {
  readonly name: MessageName;
  readonly body: Json;
  readonly payload: string;
  readonly wire: string;
}

interface UserVector {
  readonly user: Json;
  readonly bytes: string;
  readonly fields: readonly { readonly field: string; readonly value: string; readonly digest: string }[];
  readonly digest: string;
}

export function testVectors(): TestVectors {
  const [fullest] = EXAMPLE_USERS.map(recordOf).sort((a, b) => b.fields.size - a.fields.size);
  if (fullest === undefined) throw new Error('there are examples of users');
  return {
    cobs: COBS_EXAMPLES.map((bytes) => ({ bytes: hex(bytes), stuffed: hex(stuffed(bytes)) })),
    frames: MESSAGE_NAMES.map(frameVector),
    users: EXAMPLE_USERS.map(userVector),
    table: { digest: hex(EXAMPLE_USERS.map(recordOf).map(recordDigest).reduce(toggled, NO_DIGEST)) },
    batch: batchVector(),
    sketch: sketchVector(),
    ...sessionVectors(fullest),
  };
}

/** The content of test-vectors.json, as it stands in the file: one line an entry, so that a change is one line. */
export function vectorsText(): string {
  const sections = Object.entries(testVectors()).map(([name, section]) => {
    const lines: string = Array.isArray(section)
      ? `[\n${section.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`
      : JSON.stringify(section);
    return `  ${JSON.stringify(name)}: ${lines}`;
  });
  return `{\n${sections.join(',\n')}\n}\n`;
}

/** The header of a message's example: terminal 7, sequence 0x1234, attention in what a terminal says. */
export function exampleHeader(name: MessageName): Omit<FrameHeader, 'sealed'> {
  const fromTerminal = rowOf(name).direction === 'to-gateway';
  return { address: 7, sequence: 0x1234, fromTerminal, attention: fromTerminal, invite: false };
}

function frameVector(name: MessageName): FrameVector {
  const header = exampleHeader(name);
  const out = new Uint8Array(2048);
  const payload = out.subarray(0, encodeMessage(name, EXAMPLES[name], out, 0));
  const wire = toWire(plainSession, header, name, EXAMPLES[name]);
  return { name, ...header, body: jsonOf(EXAMPLES[name]), payload: hex(payload), wire: hex(wire) };
}

function userVector(user: User): UserVector {
  const record = recordOf(user);
  const fields = [...record.fields].map(([number, value]) => ({
    field: showField(number),
    value: hex(value),
    digest: hex(fieldDigest(number, value)),
  }));
  return { user: jsonOf(user), bytes: hex(encodeUser(user)), fields, digest: hex(recordDigest(record)) };
}

function batchVector(): TestVectors['batch'] {
  const records = EXAMPLE_USERS.map(recordOf);
  const object = writeBatch(records);
  return {
    bytes: hex(object),
    digest: hex(digestOf(object)),
    committed: hex(batchDigest(records.map(recordDigest))),
  };
}

function sketchVector(): TestVectors['sketch'] {
  const items = EXAMPLE_USERS.map((user) => sketchItem(user.id, recordDigest(recordOf(user))));
  const sketch = new Sketch(SKETCH_EXAMPLE_SYMBOLS);
  for (const item of items) sketch.toggle(item);
  return { tags: items.map(({ tag }) => tag), symbols: hex(sketch.bytes(0, SKETCH_EXAMPLE_SYMBOLS)) };
}

function recordOf(user: User): ReturnType<typeof readRecord> {
  return readRecord(encodeUser(user));
}

/** A frame taken apart byte by byte, for SPEC.md. */
export function printExample(): string {
  const name = 'transfer.ask';
  const wire = toWire(plainSession, exampleHeader(name), name, EXAMPLES[name]);
  const buffer = new Uint8Array(64);
  const length = encodeMessage(name, EXAMPLES[name], buffer, HEADER_BYTES) - HEADER_BYTES;
  const frame = buffer.subarray(0, plainSession.seal(exampleHeader(name), buffer, length));
  const rows: [string, Uint8Array][] = [
    ['control', frame.subarray(0, 1)],
    ['address 7', frame.subarray(1, 2)],
    ['sequence 0x1234', frame.subarray(2, 4)],
    [`type, ${name}`, frame.subarray(4, 5)],
    [`transfer ${EXAMPLES[name].transfer.toString()}`, frame.subarray(5, 7)],
    [`from ${EXAMPLES[name].from.toString()}`, frame.subarray(7, 9)],
    ['CRC-32', frame.subarray(9)],
    ['on the wire', wire],
  ];
  return ['```text', ...rows.map(([what, bytes]) => `${what.padEnd(22)}${spaced(bytes)}`), '```'].join('\n');
}

function stuffed(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(stuffedMax(bytes.length));
  return out.subarray(0, stuff(bytes, bytes.length, out, 0));
}

function jsonOf(value: unknown): Json {
  if (value instanceof Uint8Array) return { hex: hex(value) };
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, jsonOf(one)]));
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function spaced(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
