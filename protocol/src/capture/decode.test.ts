import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryFramed, arbitraryHeader } from '../frame/arbitrary.ts';
import { BROADCAST } from '../frame/frame.ts';
import { handWire, INVITATION_WIRE } from '../frame/short.ts';
import { toWire } from '../frame/wire.ts';
import type { Message } from '../messages/message.ts';
import { hereWire } from '../roll/roll.ts';
import { plainSession } from '../session/plain.ts';
import { groupSession, sealedSession } from '../session/sealed.ts';
import { joined, viewOf } from '../testing.ts';
import { decodeRun } from './decode.ts';
import type { Decoded } from './decode.ts';
import type { LoggedKeys } from './keys.ts';
import { KeyRing } from './opening.ts';
import { showPacket, viewPacket } from './show.ts';

const bytesOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const keysOf = (byte: number, address = 7): Extract<LoggedKeys, { kind: 'session' }> => ({
  kind: 'session',
  line: 'floor',
  address,
  forth: bytesOf(byte),
  back: bytesOf(byte + 1),
});
const ask: Message = { name: 'transfer.ask', body: { transfer: 5, from: 2 } };
const page: Message = { name: 'transfer.state', body: { transfer: 5, received: 0, from: 0, bitmap: [] } };
const secret: Message = { name: 'chunk', body: { transfer: 5, index: 0, data: bytesOf(0x5e) } };

/** Both ends of a session as they put messages on the wire. */
function ends(keys: { forth: Uint8Array; back: Uint8Array }): {
  gateway: (message: Message) => Uint8Array;
  terminal: (message: Message) => Uint8Array;
} {
  const gateway = sealedSession('gateway', { ...keys, hash: bytesOf(9) });
  const terminal = sealedSession('terminal', { ...keys, hash: bytesOf(9) });
  const header = { address: 7, sequence: 0x1234, fromTerminal: true, attention: true };
  return {
    gateway: ({ name, body }) => {
      const sequence = gateway.nextSequence();
      return toWire(gateway, { ...header, sequence, fromTerminal: false, attention: false }, name, body);
    },
    terminal: ({ name, body }) => toWire(terminal, header, name, body),
  };
}

function shown(decoded: Decoded): string {
  return showPacket({ decoded, line: 'floor', timeUs: 1_767_225_600_123_456 });
}

describe('what crossed a line is told', () => {
  test('every plain message, with its header', () => {
    fc.assert(
      fc.property(arbitraryFramed(), arbitraryHeader(), ({ name, body }, header) => {
        const run = viewOf(toWire(plainSession, header, name, body));
        expect(decodeRun(run)).toMatchObject({
          kind: 'plain',
          header: { ...header, sealed: false },
          message: { name },
        });
      }),
    );
  });

  test('a sealed one only with the keys of its session', () => {
    const { gateway, terminal } = ends(keysOf(1));
    const ring = new KeyRing([keysOf(1), keysOf(3), keysOf(5, 8)]);
    const stranger = new KeyRing([keysOf(3), keysOf(1, 8)]);
    for (const [run, message] of [
      [gateway(ask), ask],
      [terminal(page), page],
      [gateway(secret), secret],
    ] as const) {
      expect(decodeRun(run, ring)).toMatchObject({ kind: 'opened', message });
      expect(decodeRun(run, ring)).toMatchObject({ kind: 'opened', message });
      expect(decodeRun(run, stranger).kind).toBe('sealed');
      expect(decodeRun(run).kind).toBe('sealed');
    }
  });

  test('a broadcast with the key of its line', () => {
    const group = groupSession('gateway', { key: bytesOf(8), next: 0 });
    const header = { address: BROADCAST, sequence: 0, fromTerminal: false, attention: false };
    const run = toWire(group, { ...header, sequence: group.nextSequence() }, secret.name, secret.body);
    const ring = new KeyRing([keysOf(1), { kind: 'group', line: 'floor', epoch: 0, key: bytesOf(8) }]);
    expect(decodeRun(run, ring)).toMatchObject({ kind: 'opened', counter: 0 });
    expect(decodeRun(run, new KeyRing([keysOf(1)])).kind).toBe('sealed');
  });

  test('a capture may begin long after its session, and its frames may be late', () => {
    const keys = keysOf(1);
    const gateway = sealedSession('gateway', { ...keys, hash: bytesOf(9) });
    const runs = new Map<number, Uint8Array>();
    for (let counter = 0; counter <= 5 * 65_536; counter += 1) {
      const header = { ...HEADER, sequence: gateway.nextSequence() };
      if ([0, 65_535].includes(counter % 65_536))
        runs.set(counter, toWire(gateway, header, ask.name, ask.body));
    }
    const ring = new KeyRing([keys]);
    for (const counter of [4 * 65_536, 4 * 65_536 - 1, 5 * 65_536, 5 * 65_536 - 1, 4 * 65_536])
      expect(decodeRun(runs.get(counter) ?? bytesOf(0), ring)).toMatchObject({ kind: 'opened', counter });
  });

  test('short frames, delimiters, and runs without one', () => {
    expect(shown(decodeRun(INVITATION_WIRE))).toBe(
      '00:00:00.123456  floor     → all    ?           invitation',
    );
    expect(shown(decodeRun(handWire(9)))).toBe('00:00:00.123456  floor     ← 9      !           hand');
    const here = hereWire(plainSession, 5, 12, false);
    expect(decodeRun(here)).toEqual({ kind: 'here', address: 12, attention: false });
    expect(decodeRun(Uint8Array.of(0))).toEqual({ kind: 'nothing' });
    expect(decodeRun(here.subarray(0, -3))).toMatchObject({
      kind: 'damaged',
      reason: expect.stringMatching(/^no delimiter behind it; /) as string,
    });
    expect(decodeRun(handWire(9).map((byte, i) => (i === 3 ? byte ^ 1 : byte)))).toMatchObject({
      kind: 'damaged',
      code: 'FRAME_CHECKSUM',
    });
  });

  test('a damaged frame with its reason, and its header where there is one', () => {
    const run = ends(keysOf(1)).gateway(ask);
    const plain = toWire(plainSession, { ...HEADER, sequence: 6 }, ask.name, ask.body);
    plain[plain.length - 2] = (plain.at(-2) ?? 0) ^ 0x10;
    expect(decodeRun(plain)).toMatchObject({
      kind: 'damaged',
      code: 'FRAME_CHECKSUM',
      header: { sequence: 6 },
    });
    expect(shown(decodeRun(plain))).toContain('damaged, 15 bytes: FRAME_CHECKSUM: a frame for address 7');
    expect(decodeRun(joined(run.subarray(0, 5), Uint8Array.of(0)))).toMatchObject({ kind: 'damaged' });
  });
});

const HEADER = { address: 7, sequence: 5, fromTerminal: false, attention: false };

describe('G7 G8 whatever crossed a line', () => {
  const sealed = fc.constantFrom(ask, secret, page).map((message) => ends(keysOf(1)).gateway(message));
  const plain = arbitraryFramed().map(({ name, body }) => toWire(plainSession, HEADER, name, body));
  const ring = new KeyRing([
    keysOf(1),
    keysOf(3),
    { kind: 'group', line: 'floor', epoch: 0, key: bytesOf(8) },
  ]);

  test('becomes one line and one JSON value, however it is damaged', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255));
    const runs = fc.oneof(fc.uint8Array({ maxLength: 64 }), sealed, plain);
    fc.assert(
      fc.property(runs, fc.array(change, { maxLength: 3 }), (run, changes) => {
        const bytes = viewOf(run);
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        const decoded = decodeRun(bytes, ring);
        const text = showPacket({ decoded, line: 'floor\u001b[2J', timeUs: Number.MAX_VALUE });
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
        expect(JSON.parse(JSON.stringify(viewPacket({ decoded })))).toMatchObject({ kind: decoded.kind });
      }),
      { numRuns: 500 },
    );
  });

  test('of secrets only the length is told, in both forms', () => {
    const { gateway } = ends(keysOf(1));
    for (const message of [secret, { name: 'group.set', body: { key: bytesOf(0x5e), next: 0 } } as const]) {
      const decoded = decodeRun(gateway(message), new KeyRing([keysOf(1)]));
      expect(shown(decoded)).toContain('<secret, 32 bytes>');
      for (const text of [shown(decoded), JSON.stringify(viewPacket({ decoded }))])
        expect(text).not.toMatch(/5e5e|94,94|\^\^/);
    }
  });
});
