import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryFramed } from './frame/arbitrary.ts';
import { FrameSplitter } from './frame/splitter.ts';
import { fromWire, toWire } from './frame/wire.ts';
import { arbitraryMessages } from './messages/arbitrary.ts';
import { decodeMessage, encodeMessage } from './messages/message.ts';
import { plainSession } from './session/plain.ts';
import { thrownCode, viewOf } from './testing.ts';
import { arbitraryRecord, arbitraryUser } from './user/arbitrary.ts';
import { readBatch, writeBatch } from './user/batch.ts';
import { FIELD_NAMES } from './user/fields.ts';
import { readRecord, writeRecord } from './user/record.ts';
import { decodeField, decodeUser, encodeUser } from './user/user.ts';

const HEADER = { address: 3, sequence: 7, fromTerminal: true, attention: false };

/** One change: bytes are overwritten, put in, left out or doubled. */
type Damage = readonly [kind: 'set' | 'put' | 'cut' | 'twice' | 'end', at: number, bytes: Uint8Array];

const damage: Arbitrary<readonly Damage[]> = fc.array(
  fc.tuple(
    fc.constantFrom('set', 'set', 'set', 'put', 'cut', 'twice', 'end'),
    fc.nat(),
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.constantFrom(Uint8Array.of(0xff, 0xff, 0xff, 0xff)),
    ),
  ),
  { minLength: 1, maxLength: 4 },
);

function damaged(bytes: Uint8Array, changes: readonly Damage[]): Uint8Array {
  let out = [...bytes];
  for (const [kind, where, change] of changes) {
    const at = where % (out.length + 1);
    if (kind === 'set') out.splice(at, change.length, ...change);
    else if (kind === 'put') out.splice(at, 0, ...change);
    else if (kind === 'cut') out.splice(at, change.length);
    else if (kind === 'twice') out.splice(at, 0, ...out.slice(at, at + 40));
    else out = out.slice(0, at);
  }
  return Uint8Array.from(out);
}

const messageBytes = arbitraryMessages().map(({ name, body }) => {
  const out = new Uint8Array(4096);
  return out.slice(0, encodeMessage(name, body, out, 0));
});
const wireBytes = arbitraryFramed().map(({ name, body }) => toWire(plainSession, HEADER, name, body));
const batchBytes = fc.array(arbitraryRecord(), { maxLength: 3 }).map(writeBatch);

const throughTheWire = (bytes: Uint8Array): void => {
  new FrameSplitter().push(bytes, (stuffed) => {
    const code = thrownCode(() => decodeMessage(fromWire(plainSession, stuffed).payload));
    if (code !== undefined) expect(code).toMatch(/^(FRAME|MESSAGE)_/);
  });
};

const everyField = (bytes: Uint8Array): void => {
  for (const name of FIELD_NAMES) thrownCode(() => decodeField(name, bytes));
};

describe('G8 damaged bytes bring about nothing but a WhorlError', () => {
  test.each<[string, Arbitrary<Uint8Array>, (bytes: Uint8Array) => unknown]>([
    ['messages', messageBytes, decodeMessage],
    ['frames', wireBytes, throughTheWire],
    ['frames before the checksum', wireBytes, (bytes) => fromWire(plainSession, bytes.subarray(0, -1))],
    ['users', arbitraryUser().map(encodeUser), decodeUser],
    ['records', arbitraryRecord().map(writeRecord), readRecord],
    ['records read as users', arbitraryRecord().map(writeRecord), decodeUser],
    ['batches', batchBytes, readBatch],
    ['fields', fc.uint8Array({ maxLength: 900 }), everyField],
  ])('%s', (_, valid, decode) => {
    fc.assert(
      fc.property(valid, damage, (bytes, changes) => {
        const input = viewOf(damaged(bytes.subarray(0, 3000), changes));
        const before = input.slice();
        thrownCode(() => decode(input));
        expect(input).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  test('and nothing is read from beyond the end of a view', () => {
    fc.assert(
      fc.property(messageBytes, fc.nat(), (bytes, cut) => {
        const length = cut % bytes.length;
        const alone = bytes.slice(0, length);
        const inPool = bytes.subarray(0, length);
        expect(thrownCode(() => decodeMessage(inPool))).toBe(thrownCode(() => decodeMessage(alone)));
      }),
    );
  });
});
