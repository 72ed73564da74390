import {
  decodeMessage,
  hereFrom,
  MESSAGE_NAMES,
  plainSession,
  readHere,
  rollCall,
  slotMs,
  toWire,
  unstuff,
} from '@whorl/protocol';
import type { MessageName } from '@whorl/protocol';
import { EXAMPLES } from '@whorl/protocol/spec/examples';
import { thrownCode } from '@whorl/protocol/testing';
import { describe, expect, test } from 'vitest';
import { Call } from './call.ts';
import { bench } from '../testing/bench.ts';
import { MODELS } from '../models/built-in.ts';

/** What may be said before there is a session. */
const PLAIN: readonly MessageName[] = ['discover', 'session.open'];

describe('session', () => {
  test('E1 hello is answered with who it is and how it stands', () => {
    const { asker, terminal, clock } = bench();
    expect(asker.hello()).toMatchObject({
      serial: 'WX-000007',
      model: 'finger-10k',
      firmware: '3.2.0',
      boots: 1,
      clock: clock.wallTime(),
      users: 0,
      log: { epoch: terminal.epoch, first: 1, last: 1 },
      capabilities: MODELS['finger-10k'].capabilities,
    });
  });

  test('E1 before hello every other request is refused, again after a restart', async () => {
    const { asker, terminal, clock } = bench();
    const refused = (request: number): object => ({
      name: 'refused',
      body: { request, reason: 'no-session' },
    });
    expect(asker.ask('poll', {})).toEqual(refused(2));
    asker.hello();
    expect(asker.ask('poll', {}).name).toBe('idle');
    terminal.reboot();
    expect(terminal.power).toBe('starting');
    expect(asker.all('poll', {})).toEqual([]);
    await clock.run({ forMs: terminal.model.bootMs });
    expect(asker.ask('poll', {})).toEqual(refused(0));
    expect(asker.hello().boots).toBe(2);
  });

  test('G3 in plain it says who it is and nothing else, whatever is asked', () => {
    const { asker, terminal } = bench();
    terminal.enrol({ user: 5, finger: 1 });
    for (const session of [false, true]) {
      if (session) asker.hello();
      const said = asker.hand(asker.plain('discover', {})).map(({ payload }) => decodeMessage(payload));
      expect(said).toMatchObject([{ name: 'present', body: { serial: 'WX-000007' } }]);
      for (const name of MESSAGE_NAMES.filter((one) => !PLAIN.includes(one))) {
        const [answer] = asker.hand(asker.plain(name, EXAMPLES[name]));
        expect(decodeMessage(answer?.payload ?? new Uint8Array(0))).toMatchObject({
          name: 'refused',
          body: { reason: name.startsWith('pair.') ? (expect.any(String) as string) : 'no-session' },
        });
      }
    }
    expect(terminal.users().size).toBe(1);
  });

  test('G3 a gateway without the key gets no session, and a terminal without one gives none', () => {
    const { asker, terminal } = bench();
    expect(() => asker.hello(new Uint8Array(32).fill(1))).toThrow('does not accept');
    terminal.setKey(undefined);
    expect(() => asker.hello()).toThrow('does not accept');
    expect(terminal.counters.bad).toBe(2);
  });

  test('G3 a handshake that is played again ends no session', () => {
    const { asker } = bench();
    const handed: Uint8Array[] = [];
    const hand = asker.hand.bind(asker);
    asker.hand = (stuffed) => {
      handed.push(stuffed);
      return hand(stuffed);
    };
    asker.hello();
    const [opening] = handed;
    hand(opening ?? new Uint8Array(0));
    expect(asker.ask('poll', {}).name).toBe('idle');
  });

  test('G3 a frame that is played again changes nothing, and is not answered', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 5, finger: 1 });
    const remove = asker.frame('users.remove', { users: [5], after: 0 });
    asker.hand(remove);
    asker.ask('poll', {});
    terminal.enrol({ user: 5, finger: 1 });
    expect(asker.hand(remove)).toEqual([]);
    expect(terminal.users().has(5)).toBe(true);
    expect(terminal.counters.replayed).toBe(1);
  });

  test('E1 what is not known or not sound is refused', () => {
    const { asker } = bench();
    asker.hello();
    const bare = (payload: number[]): Uint8Array => asker.bare(payload);
    expect([...(asker.hand(bare([0x77]))[0]?.payload ?? [])]).toEqual([0x8f, 0x77, 2]);
    expect([...(asker.hand(bare([0x10, 1]))[0]?.payload ?? [])]).toEqual([0x8f, 0x10, 3]);
    expect([...(asker.hand(bare([0x82]))[0]?.payload ?? [])]).toEqual([0x8f, 0x82, 2]);
    // A damaged chunk is not answered: nobody listens for it, and somebody else may be speaking.
    expect(asker.hand(bare([0x32, 1]))).toEqual([]);
  });

  test('E1 frames for others, of terminals, and damaged ones are passed over and counted', () => {
    const { asker, terminal } = bench();
    asker.hello();
    expect(asker.hand(asker.frame('poll', {}, 8))).toEqual([]);
    const header = { address: 7, sequence: 5, fromTerminal: true, attention: false };
    expect(asker.hand(toWire(plainSession, header, 'poll', {}).subarray(0, -1))).toEqual([]);
    const damaged = asker.frame('poll', {}).slice();
    damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 0x40;
    expect(asker.hand(damaged)).toEqual([]);
    expect(terminal.counters).toMatchObject({ foreign: 2, bad: 1, requests: 3 });
  });

  test('E1 a repeated request is answered again and carried out once', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 5, finger: 1 });
    const remove = asker.frame('users.remove', { users: [5], after: 0 });
    const first = asker.hand(remove);
    terminal.enrol({ user: 5, finger: 1 });
    const again = terminal.hear(remove);
    expect(terminal.users().has(5)).toBe(true);
    expect(terminal.counters.repeated).toBe(1);
    expect(first).toHaveLength(1);
    expect(again).toHaveLength(1);
  });

  test('E1 a repeated fetch is carried out again', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 5, finger: 1 });
    const { transfer } = asker.get('user.pull', { user: 5, known: [] }, 'transfer.offered');
    const fetch = asker.frame('transfer.fetch', { transfer, first: 0, count: 1 });
    const [first, second] = [asker.hand(fetch), asker.hand(fetch)];
    expect(first.map(({ payload }) => payload)).toEqual(second.map(({ payload }) => payload));
    expect(terminal.counters.repeated).toBe(0);
  });

  test('E1 of broadcasts only those are heard that change nothing that it holds', () => {
    const { asker, terminal, clock } = bench();
    asker.hello();
    terminal.enrol({ user: 5, finger: 1 });
    expect(asker.hand(asker.frame('clock.set', { clock: clock.wallTime() + 60_000 }, 0))).toEqual([]);
    expect(asker.hand(asker.frame('users.remove', { users: [5], after: 0 }, 0))).toEqual([]);
    expect(asker.hand(asker.frame('logs.read', { after: 9 }, 0))).toEqual([]);
    expect(terminal.shown).toBe(clock.wallTime());
    expect(terminal.users().has(5)).toBe(true);
    asker.ask('poll', {});
    expect(asker.attention).toBe(true);
  });

  test('G3 E2 each roll call is answered once, in its slot, and proven by the session', () => {
    const { asker, terminal } = bench();
    asker.hello();
    const call = (number: number): Uint8Array =>
      asker.frame('roll.call', rollCall(number, [3, 7], { baud: 9600, turnaroundMs: 1, latencyMs: 0 }), 0);
    const said = terminal.hearCall(new Call(call(1)));
    expect(said?.afterMs).toBeCloseTo(slotMs(9600, 1), 1);
    const frame = unstuff((said?.wire ?? Uint8Array.of(0)).subarray(0, -1));
    expect(hereFrom(frame)).toBe(7);
    expect(readHere(asker.session, 1, frame)).toBe(true);
    expect(thrownCode(() => readHere(asker.session, 2, frame))).toBe('FRAME_CHECKSUM');
    expect(terminal.hearCall(new Call(call(1)))).toBeUndefined();
    const replayed = call(2);
    expect(terminal.hearCall(new Call(replayed))).toBeDefined();
    expect(terminal.hearCall(new Call(replayed))).toBeUndefined();
  });
});
