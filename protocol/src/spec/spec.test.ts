import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { unstuff } from '../frame/cobs.ts';
import { readHere } from '../roll/roll.ts';
import { fromWire } from '../frame/wire.ts';
import { decodeMessage, MESSAGE_NAMES } from '../messages/message.ts';
import { Cpace, pairingKey } from '../session/cpace.ts';
import { respond } from '../session/noise.ts';
import { plainSession } from '../session/plain.ts';
import { groupSession, sealedSession } from '../session/sealed.ts';
import { Sketch, SYMBOL_BYTES } from '../sketch/sketch.ts';
import { digestOf, recordDigest } from '../user/digest.ts';
import { readRecord, writeRecord } from '../user/record.ts';
import { decodeUser } from '../user/user.ts';
import { openChunk } from '../transfer/sealed-chunk.ts';
import { readBatch } from '../user/batch.ts';
import { readPatches } from '../user/patch.ts';
import { counting, EXAMPLE_USERS, EXAMPLES } from './examples.ts';
import { specTables, withTables } from './print.ts';
import { exampleHeader, testVectors, vectorsText } from './vectors.ts';

const text = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');

describe('SPEC.md', () => {
  const spec = text('SPEC.md');

  test('has the tables of the rows (npm run spec prints them anew)', () => {
    expect(withTables(spec)).toBe(spec);
  });

  test('has every table', () => {
    for (const name of specTables().keys()) expect(spec).toContain(`<!-- rows: ${name} -->`);
  });

  test('is not printed with a table that there is none of', () => {
    expect(() => withTables('<!-- rows: nothing --><!-- end -->')).toThrow('nothing');
  });
});

describe('test-vectors.json', () => {
  const file = text('test-vectors.json');
  const vectors = testVectors();

  test('has the answers of this release (npm run spec prints them anew; a change is a change on the wire)', () => {
    expect(file).toBe(vectorsText());
    expect(JSON.parse(file)).toEqual(vectors);
  });

  test('has a frame of every message', () => {
    expect(vectors.frames.map(({ name }) => name)).toEqual(MESSAGE_NAMES);
  });

  test.each(vectors.frames)('$name: the frame is read as the example', ({ name, wire, payload }) => {
    const stuffed = bytesOf(wire).subarray(0, -1);
    const { payload: read, fresh: _, ...header } = fromWire(plainSession, stuffed);
    expect(header).toEqual({ ...exampleHeader(name), sealed: false });
    expect(read).toEqual(bytesOf(payload));
    expect(decodeMessage(read)).toEqual({ name, body: EXAMPLES[name] });
  });

  test('the users are read as the examples, with their digests', () => {
    expect(vectors.users.map(({ bytes }) => decodeUser(bytesOf(bytes)))).toEqual(EXAMPLE_USERS);
    for (const { bytes, digest } of vectors.users)
      expect(recordDigest(readRecord(bytesOf(bytes)))).toEqual(bytesOf(digest));
  });

  test('the batch is read as the examples', () => {
    const records = readBatch(bytesOf(vectors.batch.bytes));
    expect(records.map(writeRecord)).toEqual(vectors.users.map(({ bytes }) => bytesOf(bytes)));
    expect(digestOf(bytesOf(vectors.batch.bytes))).toEqual(bytesOf(vectors.batch.digest));
  });

  test('the sketch comes apart into the users', () => {
    const { tags, symbols } = vectors.sketch;
    const sketch = new Sketch(bytesOf(symbols).length / SYMBOL_BYTES);
    sketch.subtract(bytesOf(symbols), 0);
    const found = new Map(sketch.differences(sketch.size)?.map(({ id, tag }) => [id, tag]));
    expect(found).toEqual(new Map(EXAMPLE_USERS.map(({ id }, i) => [id, tags[i]])));
  });

  test('the terminal’s end answers the handshake so, and opens what is sealed', () => {
    const { psk, prologue, ephemerals, messages, keys } = vectors.handshake;
    const parts = { psk: bytesOf(psk), prologue: Buffer.from(prologue), ephemeral: bytesOf(ephemerals[1]) };
    const accepted = respond(parts, bytesOf(messages[0]));
    expect(Uint8Array.from(accepted.answer)).toEqual(bytesOf(messages[1]));
    expect([accepted.keys.forth, accepted.keys.back].map((key) => Uint8Array.from(key))).toEqual([
      bytesOf(keys.forth),
      bytesOf(keys.back),
    ]);
    const ends = {
      gateway: sealedSession('terminal', accepted.keys),
      terminal: sealedSession('gateway', accepted.keys),
      'gateway, to all': groupSession('terminal', { key: counting(32, 0x04), next: 0 }),
    };
    for (const { name, from, counter, wire } of vectors.sealed) {
      const frame = fromWire(ends[from], bytesOf(wire).subarray(0, -1));
      expect(decodeMessage(frame.payload)).toEqual({ name, body: EXAMPLES[name] });
      if (from !== 'terminal') expect(frame.sequence).toBe(counter & 0xffff);
    }
    const here = unstuff(bytesOf(vectors.here.wire).subarray(0, -1));
    expect(readHere(ends.terminal, vectors.here.rollCall, here)).toBeDefined();
  });

  test('the terminal’s end of the pairing has the same key', () => {
    const { code, id, secrets, shares, psk } = vectors.pairing;
    const channel = Buffer.from(vectors.handshake.prologue);
    const end = new Cpace({ code: Buffer.from(code), channel, id: bytesOf(id), secret: bytesOf(secrets[1]) });
    expect(end.share).toEqual(bytesOf(shares[1]));
    expect(pairingKey(end.key({ share: bytesOf(shares[0]) }, { begins: false }))).toEqual(bytesOf(psk));
  });

  test('the shared chunk opens, and the patch is read', () => {
    const { key, index, data, sealed } = vectors.sharedChunk;
    expect(Uint8Array.from(openChunk(bytesOf(key), index, bytesOf(sealed)))).toEqual(bytesOf(data));
    expect(readPatches(bytesOf(vectors.patches.bytes)).map(({ changed }) => changed.fields.size)).toEqual([
      1,
    ]);
  });

  test('the stuffed bytes come apart', () => {
    for (const { bytes, stuffed } of vectors.cobs)
      expect(unstuff(bytesOf(stuffed).subarray(0, -1))).toEqual(bytesOf(bytes));
  });
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
