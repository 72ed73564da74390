import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { unstuff } from '../frame/cobs.ts';
import { fromWire } from '../frame/wire.ts';
import { decodeMessage, MESSAGE_NAMES } from '../messages/message.ts';
import { plainSession } from '../session/plain.ts';
import { Sketch, SYMBOL_BYTES } from '../sketch/sketch.ts';
import { digestOf, recordDigest } from '../user/digest.ts';
import { readRecord, writeRecord } from '../user/record.ts';
import { decodeUser } from '../user/user.ts';
import { readBatch } from '../user/batch.ts';
import { EXAMPLE_USERS, EXAMPLES } from './examples.ts';
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

  test('the stuffed bytes come apart', () => {
    for (const { bytes, stuffed } of vectors.cobs)
      expect(unstuff(bytesOf(stuffed).subarray(0, -1))).toEqual(bytesOf(bytes));
  });
});

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}
