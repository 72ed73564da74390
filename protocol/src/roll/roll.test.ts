import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unstuff } from '../frame/cobs.ts';
import { decodeMessage, encodeMessage } from '../messages/message.ts';
import type { Body } from '../messages/message.ts';
import type { NoiseKeys } from '../session/noise.ts';
import { sealedSession } from '../session/sealed.ts';
import type { Session } from '../session/session.ts';
import { thrownCode } from '../testing.ts';
import {
  HERE_WIRE_BYTES,
  hereFrom,
  hereWire,
  isMember,
  membersOf,
  readHere,
  rollCall,
  rollMs,
  slotMs,
  slotOf,
} from './roll.ts';

const TIMING = { baud: 115_200, turnaroundMs: 1, latencyMs: 2 };
const anyAddresses = fc.uniqueArray(fc.integer({ min: 1, max: 247 }), { maxLength: 32 });

/** As it is after the wire. */
function carried(call: Body<'roll.call'>): Body<'roll.call'> {
  const payload = new Uint8Array(64);
  const message = decodeMessage(payload.subarray(0, encodeMessage('roll.call', call, payload, 0)));
  return message.name === 'roll.call' ? message.body : expect.fail(message.name);
}

/** Two ends of one session, and an end of another. */
function sessions(): { readonly terminal: Session; readonly gateway: Session; readonly other: Session } {
  const keys = (first: number): NoiseKeys => ({
    forth: new Uint8Array(32).fill(first),
    back: new Uint8Array(32).fill(first + 1),
    hash: new Uint8Array(32).fill(first + 2),
  });
  return {
    terminal: sealedSession('terminal', keys(1)),
    gateway: sealedSession('gateway', keys(1)),
    other: sealedSession('gateway', keys(7)),
  };
}

test('a roll calls whom it names and nobody else, each in a slot of its own, one behind the other', () => {
  fc.assert(
    fc.property(anyAddresses, (addresses) => {
      const call = carried(rollCall(7, addresses, TIMING));
      const called = Array.from({ length: 256 }, (_, address) => address).filter(
        (address) => slotOf(call, address) !== undefined,
      );
      const sorted = [...addresses].sort((a, b) => a - b);
      expect(called).toEqual(sorted);
      expect(called.every((address) => isMember(call, address))).toBe(true);
      const length = slotOf(carried(rollCall(7, [1, 2], TIMING)), 2) ?? 0;
      expect(length).toBeGreaterThanOrEqual(slotMs(TIMING.baud, TIMING.turnaroundMs));
      for (const [n, address] of sorted.entries()) expect(slotOf(call, address)).toBeCloseTo(n * length, 9);
      expect(rollMs(call, sorted.length)).toBeCloseTo(sorted.length * length, 9);
    }),
  );
});

test('G2 a roll that is called to nobody is a call like any other: it can be sent, and nobody answers', () => {
  const call = carried(rollCall(1, [], TIMING));
  expect(call).toMatchObject({ number: 1, members: [] });
  for (let address = 0; address < 256; address += 1) expect(slotOf(call, address)).toBeUndefined();
  expect(rollMs(call, 0)).toBe(0);
  expect(membersOf([])).toEqual({ first: 1, members: [] });
});

test('an answer tells who it is from and whether there are logs, for one call and one session', () => {
  const { terminal, gateway, other } = sessions();
  for (const attention of [false, true]) {
    const wire = hereWire(terminal, 7, 31, attention);
    expect(wire.length).toBeLessThanOrEqual(HERE_WIRE_BYTES);
    const frame = unstuff(wire.subarray(0, -1));
    expect(hereFrom(frame)).toBe(31);
    expect(readHere(gateway, 7, frame)).toBe(attention);
    expect(thrownCode(() => readHere(gateway, 8, frame))).toBe('FRAME_CHECKSUM');
    expect(thrownCode(() => readHere(other, 7, frame))).toBe('FRAME_CHECKSUM');
  }
});

test('G8 what is no answer to a roll call is not taken for one, and one that was changed is noticed', () => {
  const { terminal, gateway } = sessions();
  const frame = unstuff(hereWire(terminal, 7, 31, true).subarray(0, -1));
  expect(thrownCode(() => hereFrom(frame.subarray(1)))).toBe('FRAME_TOO_SHORT');
  for (let bit = 0; bit < 8 * frame.length; bit += 1) {
    const changed = Uint8Array.from(frame);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(thrownCode(() => readHere(gateway, 7, changed))).toBe('FRAME_CHECKSUM');
  }
  expect(
    thrownCode(() => hereFrom(Uint8Array.from(frame, (byte, at) => (at === 0 ? byte ^ 0x20 : byte)))),
  ).toBe('FRAME_VERSION');
});
