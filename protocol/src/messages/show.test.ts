import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blob, fixed, group, list, oneOf, text, u32 } from '../codec/codec.ts';
import type { Codec } from '../codec/codec.ts';
import { FIELD_NAMES, FIELDS } from '../user/fields.ts';
import { arbitraryMessages } from './arbitrary.ts';
import { CATALOGUE } from './catalogue.ts';
import { showMessage, showValue } from './show.ts';

/** Every way in which bytes might be written down, cut to pieces that a short output could still hold. */
function tracesOf(secret: Uint8Array): string[] {
  const pieces = Array.from({ length: secret.length - 3 }, (_, i) => Buffer.from(secret.subarray(i, i + 4)));
  return pieces.flatMap((piece) => [
    piece.toString('hex'),
    piece.toString('hex').toUpperCase(),
    piece.toString('base64').slice(0, 5),
    piece.toString('latin1'),
    [...piece].join(','),
    [...piece].join(', '),
  ]);
}

function expectNoTrace(shown: string, secret: Uint8Array): void {
  expect(tracesOf(secret).filter((trace) => shown.includes(trace))).toEqual([]);
}

const secrets = fc.uint8Array({ minLength: 8, maxLength: 64 });

describe('G7 of a secret nothing is shown but its length', () => {
  test('in a chunk', () => {
    fc.assert(
      fc.property(secrets, fc.nat(0xffff), (data, index) => {
        const shown = showMessage({ name: 'chunk', body: { transfer: 1, index, data } });
        expect(shown).toBe(
          `chunk transfer=1 index=${index.toString()} data=<secret, ${data.length.toString()} bytes>`,
        );
        expectNoTrace(shown, data);
      }),
    );
  });

  test('in any field of a user that is marked so', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        for (const name of FIELD_NAMES) {
          if (!('secret' in FIELDS[name])) continue;
          const value =
            FIELDS[name].codec.kind === 'blob'
              ? secret
              : { format: 1, quality: 2, first: secret, second: secret, template: secret };
          expectNoTrace(showValue(FIELDS[name].codec, value), secret);
        }
      }),
    );
  });

  test('of whatever kind, and wherever it lies', () => {
    const hidden = <C extends Codec>(codec: C): C => ({ ...codec, secret: true });
    const inside = group('', {
      number: hidden(u32('')),
      name: hidden(text('', 99)),
      bytes: hidden(blob('', 99)),
      items: list('', group('', { key: hidden(fixed('', 8)), choice: hidden(oneOf('', { visible: 1 })) }), 9),
      all: hidden(list('', text('', 99), 9)),
      some: hidden(group('', { name: text('', 99) })),
    });
    fc.assert(
      fc.property(fc.string({ minLength: 8, maxLength: 20 }), secrets, (word, bytes) => {
        const marked = `~${word}~`;
        const shown = showValue(inside, {
          number: 123_456_789,
          name: marked,
          bytes,
          items: [{ key: bytes, choice: 'visible' }],
          all: [marked],
          some: { name: marked },
        });
        expectNoTrace(shown, bytes);
        for (const trace of [marked, JSON.stringify(marked).slice(1, -1), '123456789', '75bcd15', 'visible'])
          expect(shown).not.toContain(trace);
      }),
    );
  });

  test('and whatever carries parts of users is marked so', () => {
    expect(CATALOGUE.chunk.fields.data.secret).toBe(true);
  });
});

test('every message is one line that begins with its name, without a character that a terminal window obeys', () => {
  fc.assert(
    fc.property(arbitraryMessages(), (message) => {
      const shown = showMessage(message);
      expect(shown.split(' ')[0]).toBe(message.name);
      expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    }),
    { examples: [[{ name: 'poll', body: {} }]] },
  );
});

test('times are ISO, numbers have their unit, bytes are short hex, lists are cut', () => {
  const digest = Uint8Array.from({ length: 16 }, (_, i) => i);
  expect(showMessage({ name: 'clock.set', body: { clock: Date.UTC(2026, 0, 1) } })).toBe(
    'clock.set clock=2026-01-01T00:00:00.000Z',
  );
  expect(
    showMessage({
      name: 'transfer.begin',
      body: { transfer: 1, kind: 'users', size: 900, chunk: 500, digest },
    }),
  ).toBe(
    'transfer.begin transfer=1 kind=users size=900 bytes chunk=500 bytes digest=0001020304050607… (16 bytes)',
  );
  expect(
    showMessage({ name: 'users.remove', body: { users: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], after: 88 } }),
  ).toBe('users.remove users=[1, 2, 3, 4, 5, 6, 7, 8, … 2 more] after=88');
  expect(showMessage({ name: 'refused', body: { request: 2, reason: 'busy' } })).toBe(
    'refused request=2 reason=busy',
  );
});
