import {
  batchDigest,
  chunkAt,
  chunkCount,
  decodeMessage,
  decodeUser,
  digestOf,
  encodeUser,
  hereFrom,
  LOG_KINDS,
  membersOf,
  MESSAGE_NAMES,
  plainSession,
  readHere,
  readRecord,
  recordDigest,
  rollCall,
  sameBytes,
  slotMs,
  toWire,
  unstuff,
} from '@whorl/protocol';
import type { MessageName, User, UserRecord } from '@whorl/protocol';
import { EXAMPLES } from '@whorl/protocol/spec/examples';
import { thrownCode } from '@whorl/protocol/testing';
import { describe, expect, test } from 'vitest';
import { batchOf, bench, headOf, PAIRING_KEY } from '../testing/bench.ts';
import { MODELS } from '../models/built-in.ts';

const recordOfUser = (user: User): UserRecord => readRecord(encodeUser(user));
const ada: User = { id: 1042, name: 'Ada', groups: [1, 2] };
const kinds = (
  records: readonly { code: number; origin: string; user: number; detail: number }[],
): string[] =>
  records.map(({ code, origin, user, detail }) => {
    const kind = Object.entries(LOG_KINDS).find(([, row]) => row.code === code)?.[0] ?? '?';
    return `${kind} ${origin} ${user} ${detail}`;
  });

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
    const remove = asker.frame('users.remove', { users: [5] });
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
    const remove = asker.frame('users.remove', { users: [5] });
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
    expect(asker.hand(asker.frame('users.remove', { users: [5] }, 0))).toEqual([]);
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
    const said = terminal.hearCall(call(1));
    expect(said?.afterMs).toBeCloseTo(slotMs(9600, 1), 1);
    const frame = unstuff((said?.wire ?? Uint8Array.of(0)).subarray(0, -1));
    expect(hereFrom(frame)).toBe(7);
    expect(readHere(asker.session, 1, frame)).toBe(true);
    expect(thrownCode(() => readHere(asker.session, 2, frame))).toBe('FRAME_CHECKSUM');
    expect(terminal.hearCall(call(1))).toBeUndefined();
    const replayed = call(2);
    expect(terminal.hearCall(replayed)).toBeDefined();
    expect(terminal.hearCall(replayed)).toBeUndefined();
  });
});

describe('log', () => {
  test('E1 the attention bit says whether there is more than was read', () => {
    const { asker, terminal } = bench();
    asker.hello();
    expect(asker.attention).toBe(true);
    asker.ask('logs.read', { after: 1 });
    expect(asker.attention).toBe(false);
    terminal.tamper();
    asker.ask('poll', {});
    expect(asker.attention).toBe(true);
    asker.ask('logs.read', { after: 2 });
    asker.ask('poll', {});
    expect(asker.attention).toBe(false);
  });

  test('E1 what people do is logged with origin terminal, the credential in the detail', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 1042, name: 'Ada', finger: 3, card: 1 });
    terminal.edit({ user: 1042, set: { name: 'Ada L.' } });
    terminal.edit({ user: 1042, clear: ['finger.3'] });
    terminal.edit({ user: 1042, set: { name: 'Ada L.' } });
    terminal.tap({ user: 1042 });
    terminal.tap({ user: 1 });
    terminal.enrolFailed(8);
    terminal.tamper();
    terminal.remove(1042);
    const { records } = asker.get('logs.read', { after: 1 }, 'logs.page');
    expect(records.map(({ id }) => id)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(kinds(records)).toEqual([
      'user.enrolled terminal 1042 67',
      'user.enrolled terminal 1042 17',
      'user.edited terminal 1042 0',
      'user.edited terminal 1042 67',
      'access.granted terminal 1042 0',
      'access.denied terminal 1 0',
      'user.enrol.failed terminal 8 0',
      'terminal.tampered terminal 0 0',
      'user.deleted terminal 1042 0',
    ]);
  });

  test('B11 the ring forgets its oldest, and says from where on it knows', () => {
    const { asker, terminal } = bench({ capabilities: { logs: 10 } });
    asker.hello();
    for (let i = 0; i < 30; i += 1) terminal.tamper();
    const page = asker.get('logs.read', { after: 5 }, 'logs.page');
    expect(page.log).toMatchObject({ first: 22, last: 31 });
    expect(page.records.map(({ id }) => id)).toEqual([22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);
  });

  test('B11 a cleared log goes on counting, a factory reset begins another epoch', async () => {
    const { asker, terminal, clock } = bench();
    asker.hello();
    terminal.tamper();
    terminal.clearLog();
    expect(asker.get('logs.read', { after: 0 }, 'logs.page').log).toMatchObject({ first: 3, last: 3 });
    const { epoch } = terminal;
    terminal.enrol({ finger: 0 });
    terminal.factoryReset();
    await clock.run({ forMs: terminal.model.bootMs });
    expect(() => asker.hello()).toThrow('does not accept');
    terminal.setKey(PAIRING_KEY);
    const now = asker.hello();
    expect(now).toMatchObject({ users: 0, log: { first: 1, last: 1 } });
    expect(now.log.epoch).not.toBe(epoch);
    expect(now.boots).toBe(2);
  });

  test('E1 pages hold at most 50 records, and no more than a small frame takes', () => {
    for (const [model, most] of [
      [MODELS['finger-10k'], 50],
      [MODELS['card-500'], 11],
    ] as const) {
      const { asker, terminal } = bench({ model });
      asker.hello();
      for (let i = 0; i < 80; i += 1) terminal.tamper();
      const request = asker.frame('logs.read', { after: 0 });
      const [wire] = terminal.hear(request);
      expect(wire?.length).toBeLessThanOrEqual(model.capabilities.mtu);
      expect(asker.get('logs.read', { after: 0 }, 'logs.page').records).toHaveLength(most);
    }
  });

  test('E1 setting the clock answers with what it showed, and logs the step', () => {
    const { asker, clock, terminal } = bench();
    asker.hello();
    const before = clock.wallTime();
    expect(asker.get('clock.set', { clock: before + 90_000 }, 'clock.was')).toEqual({ clock: before });
    asker.get('clock.set', { clock: before + 90_000 }, 'clock.was');
    const { records } = asker.get('logs.read', { after: 1 }, 'logs.page');
    expect(kinds(records)).toEqual(['terminal.clock.set gateway 0 90']);
    expect(terminal.shown).toBe(before + 90_000);
  });

  test('E1 the clock can be read, of models that can tell it', () => {
    const { asker, clock, terminal } = bench();
    asker.hello();
    terminal.setClock(clock.wallTime() - 86_400_000);
    expect(asker.get('clock.read', {}, 'clock.is')).toEqual({ clock: clock.wallTime() - 86_400_000 });
    const older = bench({ model: MODELS['card-500'] });
    older.asker.hello();
    expect(older.asker.ask('clock.read', {})).toMatchObject({
      name: 'refused',
      body: { reason: 'unknown-message' },
    });
  });

  test('E4 a drifting clock runs at its own rate', async () => {
    const { clock, terminal } = bench();
    terminal.setClock(clock.wallTime(), 1000);
    await clock.run({ forMs: 3_600_000 });
    expect(terminal.shown - clock.wallTime()).toBe(3600);
  });
});

describe('users from the gateway', () => {
  test('E1 a batch is put in place, answered with the digest of what is held, and logged as the gateway’s', () => {
    const { asker, terminal } = bench();
    asker.hello();
    const users = [ada, { id: 7, name: 'Grace', 'card.0': { format: 1, number: Uint8Array.of(1, 2, 3, 4) } }];
    expect(asker.push(users)).toEqual({
      name: 'transfer.committed',
      body: {
        transfer: 1,
        digest: new Uint8Array(batchDigest(users.map((user) => recordDigest(recordOfUser(user))))),
        refused: [],
        users: 2,
      },
    });
    expect(terminal.user(1042)).toMatchObject(ada);
    expect(kinds(asker.get('logs.read', { after: 1 }, 'logs.page').records)).toEqual([
      'user.enrolled gateway 1042 0',
      'user.enrolled gateway 7 16',
    ]);
  });

  test('B9 the same user again changes nothing and writes no log', () => {
    const { asker, terminal } = bench();
    asker.hello();
    const first = asker.push([ada]);
    const { last } = asker.get('logs.read', { after: 0 }, 'logs.page').log;
    expect(asker.push([ada])).toEqual(first);
    expect(asker.get('logs.read', { after: 0 }, 'logs.page').log.last).toBe(last);
    asker.push([{ id: 1042, name: 'Ada' }]);
    expect(terminal.user(1042)?.groups).toBeUndefined();
    expect(kinds(asker.get('logs.read', { after: last }, 'logs.page').records)).toEqual([
      'user.edited gateway 1042 0',
    ]);
  });

  test('B14 what does not fit is refused item by item, the others are taken', () => {
    const { asker, terminal } = bench({ capabilities: { users: 2, fingers: 1, fingerFormats: [1] } });
    asker.hello();
    const finger = (format: number) => ({
      format,
      quality: 80,
      first: new Uint8Array(8),
      second: new Uint8Array(8),
    });
    const answer = asker.push([
      { id: 1, name: 'One' },
      { id: 2, 'finger.0': finger(9) },
      { id: 3, 'finger.1': finger(1) },
      { id: 0, name: 'Nobody' },
      { id: 4, fields: new Map([[1, new Uint8Array(65).fill(65)]]) },
      { id: 5, name: 'Two' },
      { id: 6, name: 'Too many' },
      { id: 5, name: 'Two again' },
    ]);
    expect(answer.body).toMatchObject({
      refused: [
        { index: 1, reason: 'format-mismatch' },
        { index: 2, reason: 'format-mismatch' },
        { index: 3, reason: 'malformed' },
        { index: 4, reason: 'malformed' },
        { index: 6, reason: 'capacity-full' },
      ],
    });
    expect([...terminal.users().keys()]).toEqual([1, 5]);
    expect(terminal.user(5)?.name).toBe('Two again');
  });

  test('B2 a push that was begun before a change here was read does not wipe it out after it was', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 1042, finger: 1 });
    asker.ask('logs.read', { after: 2 });
    expect(asker.push([ada], { after: 1 }).body).toMatchObject({
      refused: [{ index: 0, reason: 'changed-here' }],
    });
    expect(terminal.user(1042)?.['finger.1']).toBeDefined();
    expect(asker.push([ada], { after: 2 }).body).toMatchObject({ refused: [] });
  });

  test('B2 a user changed here by a record that the gateway has not seen is not wiped out', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 1042, finger: 1 });
    terminal.enrol({ user: 5, finger: 1 });
    terminal.remove(5);
    const enrolled = 2;
    const users = [ada, { id: 5, name: 'Five' }, { id: 6, name: 'Six' }];
    expect(asker.push(users, { after: enrolled - 1 }).body).toMatchObject({
      refused: [
        { index: 0, reason: 'changed-here' },
        { index: 1, reason: 'changed-here' },
      ],
    });
    expect(terminal.user(1042)?.name).toBeUndefined();
    expect(asker.push(users, { after: enrolled }).body).toMatchObject({
      refused: [{ index: 1, reason: 'changed-here' }],
    });
    expect(asker.push(users, { after: 4 }).body).toMatchObject({ refused: [] });
  });

  test('B2 that is remembered even when the log has forgotten it', async () => {
    const { asker, terminal, clock } = bench({ capabilities: { logs: 3 } });
    asker.hello();
    terminal.enrol({ user: 1042, finger: 1 });
    for (let i = 0; i < 9; i += 1) terminal.tamper();
    terminal.clearLog();
    terminal.reboot();
    await clock.run({ forMs: 5_000 });
    asker.hello();
    expect(asker.push([ada], { after: 1 }).body).toMatchObject({ refused: [{ index: 0 }] });
  });

  test('E1 removing: who is not there counts as removed, and only who was there is logged', () => {
    const { asker, terminal } = bench();
    asker.hello();
    asker.push([ada]);
    expect(asker.get('users.remove', { users: [1042, 9, 1042] }, 'users.removed')).toEqual({ users: 0 });
    expect(terminal.users().size).toBe(0);
    expect(kinds(asker.get('logs.read', { after: 2 }, 'logs.page').records)).toEqual([
      'user.deleted gateway 1042 0',
    ]);
  });

  test('B11 digests come page by page, the table’s with each', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.load(Array.from({ length: 120 }, (_, i) => recordOfUser({ id: 3 * (i + 1), name: `U${i}` })));
    const seen: [number, string][] = [];
    for (;;) {
      const page = asker.get('users.digests', { after: seen.at(-1)?.[0] ?? 0 }, 'users.page');
      expect(Buffer.from(page.table).toString('hex')).toBe(terminal.tableDigest);
      if (page.users.length === 0) break;
      seen.push(
        ...page.users.map(({ id, digest }) => [id, Buffer.from(digest).toString('hex')] as [number, string]),
      );
    }
    expect(new Map(seen)).toEqual(terminal.users());
  });

  test('E1 a user is pulled whole, chunk by chunk', () => {
    const { asker, terminal } = bench();
    asker.hello();
    terminal.enrol({ user: 1042, name: 'Ada', fingers: 10, card: 0 });
    const offer = asker.get('user.pull', { user: 1042, known: [] }, 'transfer.offered');
    const count = chunkCount(offer);
    const chunks = asker.all('transfer.fetch', { transfer: offer.transfer, first: 0, count: 64 });
    expect(chunks).toHaveLength(count);
    const object = Buffer.concat(
      chunks.map((chunk) => (chunk.name === 'chunk' ? chunk.body.data : new Uint8Array(0))),
    );
    expect(sameBytes(digestOf(object), offer.digest)).toBe(true);
    expect(decodeUser(new Uint8Array(object))).toEqual(terminal.user(1042));
    expect(asker.ask('user.pull', { user: 9, known: [] }).body).toMatchObject({ reason: 'no-such-user' });
    expect(
      asker.ask('transfer.fetch', { transfer: offer.transfer, first: count, count: 1 }).body,
    ).toMatchObject({ reason: 'malformed' });
    asker.hello();
    expect(asker.ask('transfer.fetch', { transfer: offer.transfer, first: 0, count: 1 }).body).toMatchObject({
      reason: 'no-such-transfer',
    });
  });
});

describe('transfers', () => {
  const object = batchOf([ada]);

  test('P12 chunks come in any order and however often; what has arrived outlives a restart and a new number', async () => {
    const users = Array.from({ length: 40 }, (_, i): User => ({ id: i + 1, name: `User number ${i}` }));
    const large = batchOf(users);
    const { asker, terminal, clock } = bench();
    const send = (transfer: number, indexes: number[]): void => {
      for (const index of indexes) asker.all('chunk', { transfer, index, data: chunkAt(large, 100, index) });
    };
    asker.hello();
    asker.ask('transfer.begin', headOf(large, { transfer: 3, chunk: 100 }));
    send(3, [5, 0, 5, 2]);
    expect(asker.get('transfer.ask', { transfer: 3, from: 0 }, 'transfer.state')).toMatchObject({
      received: 3,
      from: 0,
    });
    expect(
      asker.ask('transfer.commit', { transfer: 3, digest: digestOf(large), after: 0 }).body,
    ).toMatchObject({
      reason: 'incomplete',
    });
    terminal.reboot();
    await clock.run({ forMs: terminal.model.bootMs });
    asker.hello();
    const state = asker.get('transfer.begin', headOf(large, { transfer: 9, chunk: 100 }), 'transfer.state');
    expect(state).toMatchObject({ transfer: 9, received: 3 });
    expect(state.bitmap[0]).toBe(0b100101);
    expect(asker.ask('transfer.ask', { transfer: 3, from: 0 }).body).toMatchObject({
      reason: 'no-such-transfer',
    });
    send(9, [...Array(chunkCount({ size: large.length, chunk: 100 })).keys()]);
    expect(asker.ask('transfer.commit', { transfer: 9, digest: digestOf(large), after: 0 }).name).toBe(
      'transfer.committed',
    );
    expect(terminal.users().size).toBe(40);
    expect(
      asker.ask('transfer.commit', { transfer: 9, digest: digestOf(large), after: 0 }).body,
    ).toMatchObject({
      reason: 'no-such-transfer',
    });
  });

  test('E1 chunks of a wrong size, or of nothing that was announced, are dropped', () => {
    const { asker } = bench();
    asker.hello();
    asker.ask('transfer.begin', headOf(object, { chunk: 64 }));
    expect(asker.all('chunk', { transfer: 1, index: 0, data: object.subarray(0, 5) })).toEqual([]);
    expect(asker.all('chunk', { transfer: 1, index: 99, data: object })).toEqual([]);
    expect(asker.all('chunk', { transfer: 2, index: 0, data: object })).toEqual([]);
    expect(asker.get('transfer.ask', { transfer: 1, from: 0 }, 'transfer.state').received).toBe(0);
  });

  test('E1 a damaged object is refused, and begins anew', () => {
    const { asker } = bench();
    asker.hello();
    asker.ask('transfer.begin', headOf(object));
    asker.all('chunk', { transfer: 1, index: 0, data: object.map((byte) => byte ^ 1) });
    expect(
      asker.ask('transfer.commit', { transfer: 1, digest: digestOf(object), after: 0 }).body,
    ).toMatchObject({ reason: 'corrupt' });
    expect(asker.get('transfer.begin', headOf(object), 'transfer.state').received).toBe(0);
    const nonsense = new Uint8Array(50).fill(3);
    asker.ask('transfer.begin', headOf(nonsense));
    asker.all('chunk', { transfer: 1, index: 0, data: nonsense });
    expect(
      asker.ask('transfer.commit', { transfer: 1, digest: digestOf(nonsense), after: 0 }).body,
    ).toMatchObject({
      reason: 'malformed',
    });
  });

  test('E1 only a few objects are staged: the oldest gives way', () => {
    const { asker } = bench();
    asker.hello();
    for (let transfer = 1; transfer <= 5; transfer += 1)
      asker.ask('transfer.begin', headOf(batchOf([{ id: transfer }]), { transfer }));
    expect(asker.ask('transfer.ask', { transfer: 1, from: 0 }).body).toMatchObject({
      reason: 'no-such-transfer',
    });
    for (let transfer = 2; transfer <= 5; transfer += 1)
      expect(asker.ask('transfer.ask', { transfer, from: 0 }).name).toBe('transfer.state');
  });

  test('E1 an object that is announced to it and others is staged by broadcast, and committed by each for itself', () => {
    const { asker, terminal } = bench();
    asker.hello();
    const { kind, transfer, ...head } = headOf(object);
    const announce = (addresses: number[], number = transfer): void => {
      const body = { transfer: number, kind, ...head, ...membersOf(addresses) };
      asker.hand(asker.frame('transfer.announce', body, 0));
    };
    announce([3, 8], 2);
    expect(asker.ask('transfer.ask', { transfer: 2, from: 0 }).body).toMatchObject({
      reason: 'no-such-transfer',
    });
    announce([3, 7]);
    asker.hand(asker.frame('chunk', { transfer, index: 0, data: object }, 0));
    expect(asker.get('transfer.ask', { transfer, from: 0 }, 'transfer.state').received).toBe(1);
    const other = { transfer, digest: digestOf(Uint8Array.of(1)), after: 0 };
    expect(asker.ask('transfer.commit', other).body).toMatchObject({ reason: 'no-such-transfer' });
    expect(terminal.users().has(1042)).toBe(false);
    const meant = { transfer, digest: digestOf(object), after: 0 };
    expect(asker.ask('transfer.commit', meant).name).toBe('transfer.committed');
    expect(terminal.users().has(1042)).toBe(true);
  });
});
