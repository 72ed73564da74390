import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryHeader } from '../frame/arbitrary.ts';
import { HEADER_BYTES } from '../frame/frame.ts';
import { thrownCode, viewOf } from '../testing.ts';
import type { NoiseKeys } from './noise.ts';
import { groupSession, SEAL_BYTES, sealedSession } from './sealed.ts';
import type { SealedEnd } from './session.ts';
import { SlotKey } from './slot-key.ts';
import { ReplayWindow } from './window.ts';

const fresh = (): Uint8Array => new Uint8Array(randomBytes(32));
const keys = (): NoiseKeys => ({ forth: fresh(), back: fresh(), hash: fresh() });
const HEADER = { address: 7, fromTerminal: false, attention: false };

function ends(of: NoiseKeys = keys()): { gateway: SealedEnd; terminal: SealedEnd } {
  return { gateway: sealedSession('gateway', of), terminal: sealedSession('terminal', of) };
}

function isFresh(open: () => { readonly fresh: boolean }): boolean {
  try {
    return open().fresh;
  } catch {
    return false;
  }
}

/** A request with this payload. */
function say(end: SealedEnd, payload: Uint8Array, sequence = end.nextSequence()): Uint8Array {
  return sealed(end, { ...HEADER, sequence }, payload);
}

/** An answer to the request with this number. */
function answer(end: SealedEnd, payload: Uint8Array, sequence = 0): Uint8Array {
  return sealed(end, { ...HEADER, fromTerminal: true, sequence }, payload);
}

function sealed(end: SealedEnd, header: Parameters<SealedEnd['seal']>[0], payload: Uint8Array): Uint8Array {
  const buffer = new Uint8Array(payload.length + 64);
  buffer.set(payload, end.headBytes);
  return buffer.slice(0, end.seal(header, buffer, payload.length));
}

const HI = Uint8Array.of(2, 3, 4);

describe('G3 a sealed session', () => {
  test('brings back header and payload in both directions, and hides the payload', () => {
    fc.assert(
      fc.property(arbitraryHeader(), fc.uint8Array({ minLength: 1, maxLength: 300 }), (header, payload) => {
        const { gateway, terminal } = ends();
        const request = { ...header, sequence: gateway.nextSequence(), fromTerminal: false };
        const there = sealed(gateway, request, payload);
        expect(there).toHaveLength(HEADER_BYTES + payload.length + SEAL_BYTES);
        const { payload: heard, ...head } = terminal.open(viewOf(there));
        expect(new Uint8Array(heard)).toEqual(payload);
        expect(head).toEqual({ ...request, sealed: true, fresh: true });
        const back = { ...header, fromTerminal: true, invite: false };
        const opened = gateway.open(sealed(terminal, back, payload));
        expect(new Uint8Array(opened.payload)).toEqual(payload);
        expect(opened.sequence).toBe(header.sequence);
        if (payload.length >= 8) expect(Buffer.from(there).includes(Buffer.from(payload))).toBe(false);
      }),
    );
  });

  test('a frame changed in any bit is FRAME_FORGED; only the invitation may come and go', () => {
    const { gateway, terminal } = ends();
    const frame = say(gateway, HI);
    for (let bit = 0; bit < 8 * frame.length; bit += 1) {
      const damaged = frame.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const code = thrownCode(() => terminal.open(damaged));
      if (bit === 2) expect(code).toBeUndefined();
      else expect(['FRAME_FORGED', 'FRAME_VERSION', 'FRAME_SEALED']).toContain(code);
    }
  });

  test('one that is cut is refused wherever it ends', () => {
    const { gateway, terminal } = ends();
    const frame = say(gateway, HI);
    for (let length = 0; length < frame.length; length += 1)
      expect(['FRAME_TOO_SHORT', 'FRAME_FORGED']).toContain(
        thrownCode(() => terminal.open(frame.subarray(0, length))),
      );
  });

  test('one that is thrown back is FRAME_FORGED; with one key for both directions it would be taken', () => {
    const { gateway, terminal } = ends();
    expect(thrownCode(() => gateway.open(say(gateway, HI)))).toBe('FRAME_FORGED');
    expect(thrownCode(() => terminal.open(answer(terminal, HI)))).toBe('FRAME_FORGED');
    const key = { key: fresh(), next: 0 };
    const frame = answer(groupSession('terminal', key), HI);
    expect(groupSession('gateway', key).open(frame).fresh).toBe(true);
  });

  test('a terminal that joins hears the next broadcast, and takes none of before for new', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 65_535, 65_536, 65_537, 200_000), (said) => {
        const gateway = groupSession('gateway', { key: fresh(), next: 0 });
        let before: Uint8Array = new Uint8Array(0);
        for (let i = 0; i < said; i += 1) {
          const sequence = gateway.nextSequence();
          // Only what is next to a border has to be made.
          if (i % 65_536 > 65_533 || i % 65_536 < 2 || i === said - 1) before = say(gateway, HI, sequence);
        }
        const joining = groupSession('terminal', gateway.handOver());
        if (said > 0) expect(isFresh(() => joining.open(before))).toBe(false);
        const next = say(gateway, HI);
        expect(joining.open(next).fresh).toBe(true);
        expect(joining.open(next).fresh).toBe(false);
      }),
      { numRuns: 6 },
    );
  });

  test('what was said under a group key before its renewal cannot be opened with the renewed one', () => {
    const gateway = groupSession('gateway', { key: fresh(), next: 65_535 });
    const last = say(gateway, HI);
    const joining = groupSession('terminal', gateway.handOver());
    expect(thrownCode(() => joining.open(last))).toBe('FRAME_FORGED');
  });

  test('one of another session, another terminal’s or an older one, is FRAME_FORGED', () => {
    const { gateway } = ends();
    expect(thrownCode(() => ends().terminal.open(say(gateway, HI)))).toBe('FRAME_FORGED');
  });

  test('one for another address is FRAME_FORGED, though the keys are right', () => {
    const { gateway, terminal } = ends();
    const frame = say(gateway, HI);
    frame[1] = 8;
    expect(thrownCode(() => terminal.open(frame))).toBe('FRAME_FORGED');
  });

  test('a plain frame is FRAME_SEALED', () => {
    const { terminal } = ends();
    expect(thrownCode(() => terminal.open(Uint8Array.of(0x40, 7, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8)))).toBe(
      'FRAME_SEALED',
    );
  });

  test('one that was opened before is not fresh, however late it is played again', () => {
    const { gateway, terminal } = ends();
    const frames = Array.from({ length: 200 }, () => say(gateway, HI));
    for (const frame of frames) expect(terminal.open(frame).fresh).toBe(true);
    for (const frame of frames) expect(terminal.open(frame).fresh).toBe(false);
  });

  test('answers may arrive in another order within the window, each once', () => {
    const { gateway, terminal } = ends();
    const frames = Array.from({ length: 40 }, () => answer(terminal, HI));
    for (const frame of frames.toReversed()) expect(gateway.open(frame).fresh).toBe(true);
    for (const frame of frames) expect(gateway.open(frame).fresh).toBe(false);
  });

  test('a request that was held back until a newer one had come is not fresh, though nobody has seen it', () => {
    const { gateway, terminal } = ends();
    const [held, newer] = [say(gateway, HI), say(gateway, HI)];
    expect(terminal.open(newer).fresh).toBe(true);
    expect(terminal.open(held).fresh).toBe(false);
  });

  test('the same request twice is the same bytes; the next one never is', () => {
    const { gateway } = ends();
    const sequence = gateway.nextSequence();
    const first = say(gateway, HI, sequence);
    expect(say(gateway, HI, sequence)).toEqual(first);
    expect(say(gateway, HI).subarray(HEADER_BYTES)).not.toEqual(first.subarray(HEADER_BYTES));
  });

  test('goes on over the change of its keys, in both directions, and opens an answer of before that is late', () => {
    const { gateway, terminal } = ends();
    const frames: Uint8Array[] = [];
    for (let i = 0; i < 0x1_0000 + 10; i += 1) {
      const sequence = gateway.nextSequence();
      if (i >= 0x1_0000 - 10) frames.push(say(gateway, HI, sequence));
      else if (i % 20_000 === 0) terminal.open(say(gateway, HI, sequence));
    }
    for (const frame of frames) expect(terminal.open(frame).fresh).toBe(true);
    let late: Uint8Array = HI;
    for (let i = 0; i < 0x1_0000 + 5; i += 1) {
      const frame = answer(terminal, HI);
      if (i === 0xffff) late = frame;
      else if (i % 5_000 === 0 || i > 0xfffb) expect(gateway.open(frame).fresh).toBe(true);
    }
    expect(gateway.open(late).fresh).toBe(true);
  }, 30_000);

  test('what proves an answer to a roll call is different for each call, head and session', () => {
    const { gateway, terminal } = ends();
    const head = Uint8Array.of(0x72, 7);
    const tag = terminal.tag(5, head);
    expect(gateway.tag(5, head)).toEqual(tag);
    expect(gateway.tag(6, head)).not.toEqual(tag);
    expect(gateway.tag(5, Uint8Array.of(0x7a, 7))).not.toEqual(tag);
    expect(ends().gateway.tag(5, head)).not.toEqual(tag);
  });

  test('what proves an answer to a roll call is an HMAC of number, control and address', () => {
    const key = fresh();
    const expected = createHmac('sha256', key)
      .update(Uint8Array.of(0x78, 0x56, 0x34, 0x12, 0x72, 7))
      .digest();
    expect(new SlotKey(key).tag(0x1234_5678, Uint8Array.of(0x72, 7))).toEqual(
      new Uint8Array(expected.subarray(0, 8)),
    );
  });

  test('G3 a frame that was opened before is taken over by whoever holds the same key, and by nobody else', () => {
    const gateway = groupSession('gateway', { key: fresh(), next: 0 });
    const key = gateway.handOver();
    const [first, second] = [groupSession('terminal', key), groupSession('terminal', key)];
    const stranger = groupSession('terminal', { key: fresh(), next: 0 });
    const late = groupSession('terminal', { ...key, next: 65_536 });
    const frame = say(gateway, HI);
    const shared = {};
    const { payload } = first.open(frame, shared);
    expect(second.open(frame, shared).payload).toBe(payload);
    expect(second.open(frame, shared).fresh).toBe(false);
    expect(thrownCode(() => stranger.open(frame, shared))).toBe('FRAME_FORGED');
    expect(thrownCode(() => late.open(frame, shared))).toBe('FRAME_FORGED');
    const forged = frame.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    const nothing = {};
    expect(thrownCode(() => groupSession('terminal', key).open(forged, nothing))).toBe('FRAME_FORGED');
    expect(nothing).toEqual({});
  });
});

test('G3 the window takes each counter once, and none that is older than 64', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 200 }), (counters) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let newest = -1;
      for (const counter of counters) {
        const expected = !seen.has(counter) && counter > newest - 64;
        expect(window.take(counter)).toBe(expected);
        seen.add(counter);
        newest = Math.max(newest, counter);
      }
    }),
  );
});
