import { MOST_WORDS } from '@whorl/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readsOf } from './reads.ts';

const kinds = fc.constantFrom('coil' as const, 'discrete' as const, 'holding' as const, 'input' as const);
const registers = fc.array(fc.record({ kind: kinds, address: fc.nat(400) }), { maxLength: 300 });

test('P13 reads cover every register, touch no other, and ask for no more than an answer holds', () => {
  fc.assert(
    fc.property(registers, (all) => {
      const wanted = new Set(all.map(({ kind, address }) => `${kind} ${address}`));
      const covered = readsOf(all).flatMap(({ kind, address, count }) => {
        expect(count).toBeLessThanOrEqual(kind === 'holding' || kind === 'input' ? MOST_WORDS : 2000);
        return Array.from({ length: count }, (_, i) => `${kind} ${address + i}`);
      });
      expect(covered).toHaveLength(wanted.size);
      expect(new Set(covered)).toEqual(wanted);
    }),
  );
});

test('P13 neighbours are read together', () => {
  expect(readsOf([2, 0, 1, 7].map((address) => ({ kind: 'input', address })))).toEqual([
    { kind: 'input', address: 0, count: 3 },
    { kind: 'input', address: 7, count: 1 },
  ]);
});
