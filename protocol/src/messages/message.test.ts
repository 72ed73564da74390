import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryMessage } from './arbitrary.ts';
import { thrownCode, viewOf } from '../testing.ts';
import { CATALOGUE } from './catalogue.ts';
import type { MessageRow } from './catalogue.ts';
import { decodeMessage, encodeMessage, MESSAGE_NAMES, rowOf } from './message.ts';
import type { Message } from './message.ts';

function bytesOf(message: Message, at = 0): Uint8Array {
  const out = new Uint8Array(4096);
  return out.subarray(at, encodeMessage(message.name, message.body, out, at));
}

describe.each(MESSAGE_NAMES)('%s', (name) => {
  test('is read as it was written, from any view', () => {
    fc.assert(
      fc.property(arbitraryMessage(name), fc.nat(9), (message, at) => {
        const payload = bytesOf(message, at);
        expect(payload[0]).toBe(rowOf(name).type);
        expect(decodeMessage(viewOf(payload))).toEqual(message);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the catalogue', () => {
  const rows = Object.entries<MessageRow>(CATALOGUE);

  test('gives each message a type of its own, in one byte', () => {
    const types = rows.map(([, row]) => row.type);
    expect(new Set(types).size).toBe(types.length);
    expect(types.filter((type) => type < 1 || type > 0xff)).toEqual([]);
  });

  test('sets the top bit of what only a terminal sends, and of nothing else', () => {
    for (const [name, row] of rows) expect(row.type >= 0x80, name).toBe(row.direction === 'to-gateway');
  });

  test('has an answer that goes the other way for every request, and says how long it may take', () => {
    for (const [name, row] of rows) {
      if (row.answer === undefined) continue;
      const answer = rows.find(([other]) => other === row.answer)?.[1];
      expect(answer, `answer to ${name}`).toBeDefined();
      expect(['to-gateway', 'both'], name).toContain(answer?.direction);
      expect(row.direction, name).toBe('to-terminal');
      expect(row.work, name).toBeDefined();
    }
  });

  test('lets only the last field of a message reach up to its end', () => {
    for (const [name, row] of rows) {
      const open = Object.values(row.fields).map((field) => 'prefix' in field && field.prefix === 0);
      expect(open.slice(0, -1), name).not.toContain(true);
    }
  });
});

test('a message without bytes and one of an unknown type are MESSAGE_UNKNOWN', () => {
  expect(thrownCode(() => decodeMessage(new Uint8Array(0)))).toBe('MESSAGE_UNKNOWN');
  expect(thrownCode(() => decodeMessage(Uint8Array.of(0x7f)))).toBe('MESSAGE_UNKNOWN');
  expect(() => decodeMessage(Uint8Array.of(0x0f))).toThrow('0x0f');
});

test('bytes behind the last field are MESSAGE_LONG', () => {
  expect(thrownCode(() => decodeMessage(Uint8Array.of(CATALOGUE.poll.type, 0)))).toBe('MESSAGE_LONG');
});

test('an error names message and field', () => {
  const body = { transfer: 1, digest: new Uint8Array(16), after: -1 };
  expect(() => encodeMessage('transfer.commit', body, new Uint8Array(40), 0)).toThrow(
    'transfer.commit.after',
  );
});
