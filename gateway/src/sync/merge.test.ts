import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recordOf } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import { merge } from './merge.ts';

const record = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 0x94 }), fc.uint8Array({ maxLength: 4 })), {
    selector: ([number]) => number,
    maxLength: 8,
  })
  .map((fields) => recordOf(7, fields));

const shown = (one: UserRecord): [number, string][] =>
  [...one.fields].map(([number, value]) => [number, Buffer.from(value).toString('hex')]);

test('B3 fill-vacant keeps every field that is held, and clears none', () => {
  fc.assert(
    fc.property(record, record, (held, incoming) => {
      const { record: merged } = merge(held, incoming);
      for (const [number, value] of held.fields) expect(merged.fields.get(number)).toEqual(value);
      for (const number of incoming.fields.keys()) expect(merged.fields.has(number)).toBe(true);
      expect(merged.fields.size).toBe(new Set([...held.fields.keys(), ...incoming.fields.keys()]).size);
    }),
  );
});

test('B3 merging the same twice has the effect of once', () => {
  fc.assert(
    fc.property(record, record, (held, incoming) => {
      const once = merge(held, incoming).record;
      const twice = merge(once, incoming);
      expect(shown(twice.record)).toEqual(shown(once));
      expect(twice.filled).toEqual([]);
    }),
  );
});

test('B3 a user whom the gateway does not know is taken as the terminal has it', () => {
  fc.assert(
    fc.property(record, (incoming) => {
      expect(merge(undefined, incoming)).toEqual({
        record: incoming,
        filled: [...incoming.fields.keys()],
        kept: [],
      });
    }),
  );
});
