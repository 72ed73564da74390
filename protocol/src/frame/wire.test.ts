import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryMessages } from '../messages/arbitrary.ts';
import { decodeMessage } from '../messages/message.ts';
import type { Body, Message } from '../messages/message.ts';
import { plainSession } from '../session/plain.ts';
import { thrownCode, viewOf } from '../testing.ts';
import { arbitraryFramed, arbitraryHeader } from './arbitrary.ts';
import { MTU_MAX, MTU_MIN } from './frame.ts';
import { chunkSize, fromWire, toWire } from './wire.ts';

const HEADER = { address: 7, sequence: 0x1234, fromTerminal: false, attention: false };

const wireOf = (message: Message, header = HEADER): Uint8Array =>
  toWire(plainSession, header, message.name, message.body);

describe('a frame on the plain session', () => {
  test('brings back header and message, from any view', () => {
    fc.assert(
      fc.property(arbitraryHeader(), arbitraryFramed(), (header, message) => {
        const wire = wireOf(message, header);
        expect(wire.indexOf(0)).toBe(wire.length - 1);
        const { payload, fresh: _, ...rest } = fromWire(plainSession, viewOf(wire.subarray(0, -1)));
        expect(rest).toEqual({ ...header, sealed: false });
        expect(decodeMessage(payload)).toEqual(message);
      }),
    );
  });

  test('an idle poll is at most 34 bytes there and back', () => {
    const poll = wireOf({ name: 'poll', body: {} });
    const idle = wireOf({ name: 'idle', body: {} }, { ...HEADER, fromTerminal: true });
    expect(poll.length + idle.length).toBeLessThanOrEqual(34);
  });

  test('is FRAME_CHECKSUM when any one bit of it changes', () => {
    const buffer = new Uint8Array(64).fill(0x5a);
    const frame = buffer.subarray(0, plainSession.seal(HEADER, buffer, 40));
    for (let bit = 0; bit < 8 * frame.length; bit += 1) {
      const damaged = frame.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(['FRAME_CHECKSUM', 'FRAME_VERSION']).toContain(thrownCode(() => plainSession.open(damaged)));
    }
  });

  test('is FRAME_SEALED when it says that it is sealed', () => {
    const buffer = new Uint8Array(64);
    const end = plainSession.seal(HEADER, buffer, 8);
    buffer[0] = (buffer[0] ?? 0) | 0x20;
    const resealed = withChecksum(buffer.subarray(0, end));
    expect(thrownCode(() => plainSession.open(resealed))).toBe('FRAME_SEALED');
  });

  test('is FRAME_TOO_SHORT without a payload', () => {
    const buffer = new Uint8Array(64);
    const frame = buffer.subarray(0, plainSession.seal(HEADER, buffer, 0));
    for (let length = 0; length <= frame.length; length += 1)
      expect(thrownCode(() => plainSession.open(frame.subarray(0, length)))).toBe('FRAME_TOO_SHORT');
  });
});

describe('the size of chunks', () => {
  const chunk = (mtu: number, byte: number): Body<'chunk'> => ({
    transfer: 0xffff,
    index: 0xffff,
    data: new Uint8Array(chunkSize(plainSession, mtu)).fill(byte),
  });

  test('fills a frame and never exceeds it, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.integer({ min: MTU_MIN, max: MTU_MAX }), fc.nat(255), (mtu, byte) => {
        const wire = toWire(plainSession, HEADER, 'chunk', chunk(mtu, byte));
        expect(wire.length).toBeLessThanOrEqual(mtu);
        expect(wire.length).toBeGreaterThan(mtu - 7);
      }),
    );
  });

  test('leaves at most 2.5 % of a full frame to everything else', () => {
    expect(chunkSize(plainSession, MTU_MAX) / MTU_MAX).toBeGreaterThan(0.975);
  });
});

test('a message that no frame takes is MESSAGE_LONG', () => {
  const data = new Uint8Array(MTU_MAX);
  const send = (): unknown => toWire(plainSession, HEADER, 'chunk', { transfer: 1, index: 1, data });
  expect(thrownCode(send)).toBe('MESSAGE_LONG');
});

test('the largest of every other message fits a frame', () => {
  fc.assert(
    fc.property(
      arbitraryMessages().filter(({ name }) => name !== 'chunk'),
      (message) => {
        expect(wireOf(message).length).toBeLessThanOrEqual(MTU_MAX);
      },
    ),
  );
});

function withChecksum(frame: Uint8Array): Uint8Array {
  const body = frame.subarray(0, -4);
  const crc = crc32(body);
  return Uint8Array.from([...body, crc & 0xff, (crc >>> 8) & 0xff, (crc >>> 16) & 0xff, crc >>> 24]);
}
