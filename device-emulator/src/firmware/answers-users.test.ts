import { batchDigest, chunkCount, decodeUser, digestOf, recordDigest, sameBytes } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { bench } from '../testing/bench.ts';
import { ada, kinds, recordOfUser } from '../testing/answers.ts';

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
    expect(asker.get('users.remove', { users: [1042, 9, 1042], after: 0 }, 'users.removed')).toEqual({
      users: 0,
    });
    expect(terminal.users().size).toBe(0);
    expect(kinds(asker.get('logs.read', { after: 2 }, 'logs.page').records)).toEqual([
      'user.deleted gateway 1042 0',
    ]);
  });

  test('B2 who was changed here by a record that the gateway has not seen is not removed, nor is who is named with them', () => {
    const { asker, terminal } = bench();
    asker.hello();
    asker.push([ada, { id: 9, name: 'Nine' }]);
    terminal.enrol({ user: 1042, finger: 1 });
    const enrolled = terminal.logs().at(-1)?.id ?? 0;
    const remove = (after: number): unknown => asker.ask('users.remove', { users: [1042, 9], after }).body;
    expect(remove(enrolled - 1)).toMatchObject({ reason: 'changed-here' });
    expect([...terminal.users().keys()]).toEqual([9, 1042]);
    expect(remove(enrolled)).toEqual({ users: 0 });
    terminal.enrol({ user: 1042, finger: 1 });
    expect(remove(0xffff_ffff)).toEqual({ users: 0 });
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
