/** For tests only: generators of frames. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { arbitraryMessages } from '../messages/arbitrary.ts';
import type { Message } from '../messages/message.ts';
import { plainSession } from '../session/plain.ts';
import { ADDRESS_MAX, BROADCAST, MTU_MAX } from './frame.ts';
import type { FrameHeader } from './frame.ts';
import { chunkSize } from './wire.ts';

export function arbitraryHeader(): Arbitrary<Omit<FrameHeader, 'sealed'>> {
  return fc.record({
    address: fc.integer({ min: BROADCAST, max: ADDRESS_MAX }),
    sequence: fc.nat(0xffff),
    fromTerminal: fc.boolean(),
    attention: fc.boolean(),
    invite: fc.boolean(),
  });
}

/** Messages that fit a frame: all but chunks that are too large. */
export function arbitraryFramed(): Arbitrary<Message> {
  const largest = chunkSize(plainSession, MTU_MAX);
  return arbitraryMessages().filter(({ name, body }) => name !== 'chunk' || body.data.length <= largest);
}
