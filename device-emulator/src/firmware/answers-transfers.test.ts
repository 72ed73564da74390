import { chunkAt, chunkCount, digestOf, membersOf } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { batchOf, bench, headOf } from '../testing/bench.ts';
import { ada } from '../testing/answers.ts';

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
