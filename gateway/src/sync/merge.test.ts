import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeField, encodeField, fieldDigest, FIELDS, recordOf } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import { MERGE_KEYS, MERGE_POLICIES, runtimeSettingsSchema } from '../settings/runtime.ts';
import type { MergePolicy } from '../settings/runtime.ts';
import type { Provenance } from '../store/store.ts';
import { merge } from './merge.ts';
import type { Held, Incoming } from './merge.ts';
import { mergeRules, policyOf } from './merge-rules.ts';

const GROUPS = FIELDS.groups.number;
const NAME = FIELDS.name.number;
/** A field of a later release: no policy can be chosen for it. */
const LATER = 0x3f;

const groups = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }).map((all) =>
  encodeField(
    'groups',
    [...all].sort((a, b) => a - b),
  ),
);
const anyField = fc.oneof(
  fc.tuple(fc.constantFrom(1, 2, 3, 4, 0x10, 0x11, 0x40, 0x80, 0x90, LATER), fc.uint8Array({ maxLength: 2 })),
  fc.tuple(fc.constant(GROUPS), groups),
);
const record = fc
  .uniqueArray(anyField, { selector: ([number]) => number, maxLength: 8 })
  .map((fields) => recordOf(7, fields));
const atTerminal = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 4 }))
  .map(([terminal, time]): Provenance => ({ origin: 'terminal', terminal, time, log: time }));
const incoming = fc.record({ record, by: atTerminal });
const held = fc.tuple(record, atTerminal).map(([one, by]): Held => ({
  record: one,
  provenance: new Map([...one.fields.keys()].map((field) => [field, by])),
}));
const policies = fc.dictionary(
  fc.constantFrom(...MERGE_KEYS),
  fc.constantFrom(...MERGE_POLICIES.filter((policy) => policy !== 'union')),
  { maxKeys: 6 },
);

function everywhere(policy: MergePolicy): Partial<Record<(typeof MERGE_KEYS)[number], MergePolicy>> {
  return Object.fromEntries(
    MERGE_KEYS.filter((key) => policy !== 'union' || key === 'groups').map((key) => [key, policy]),
  );
}

const shown = (one: UserRecord): [number, string][] =>
  [...one.fields].map(([number, value]) => [number, Buffer.from(value).toString('hex')]);

/** Merges one after the other into nothing. */
function all(ones: readonly Incoming[], chosen: ReturnType<typeof everywhere>): UserRecord {
  let now: Held | undefined;
  for (const one of ones) now = merge(now, one, chosen);
  return now?.record ?? recordOf(7, []);
}

test('B3 fill-vacant keeps every field that is held, and clears none', () => {
  fc.assert(
    fc.property(held, incoming, (mine, theirs) => {
      const { record: merged, replaced } = merge(mine, theirs);
      for (const [number, value] of mine.record.fields) expect(merged.fields.get(number)).toEqual(value);
      for (const number of theirs.record.fields.keys()) expect(merged.fields.has(number)).toBe(true);
      expect(merged.fields.size).toBe(
        new Set([...mine.record.fields.keys(), ...theirs.record.fields.keys()]).size,
      );
      expect(replaced).toEqual([]);
    }),
  );
});

test('B3 B4 no policy ever clears a field, and every difference is taken or told', () => {
  fc.assert(
    fc.property(held, incoming, policies, (mine, theirs, chosen) => {
      const merged = merge(mine, theirs, chosen);
      for (const number of mine.record.fields.keys()) expect(merged.record.fields.has(number)).toBe(true);
      for (const [number, value] of theirs.record.fields) {
        const now = merged.record.fields.get(number);
        expect(
          (now !== undefined && Buffer.compare(now, value) === 0) || merged.conflicts.includes(number),
        ).toBe(true);
      }
    }),
  );
});

test('B3 B4 merging the same twice has the effect of once, whatever the policies', () => {
  fc.assert(
    fc.property(
      fc.option(held, { nil: undefined }),
      incoming,
      policies,
      fc.boolean(),
      (mine, theirs, some, union) => {
        const chosen = union ? { ...some, groups: 'union' as const } : some;
        const once = merge(mine, theirs, chosen);
        const twice = merge(once, theirs, chosen);
        expect(shown(twice.record)).toEqual(shown(once.record));
        expect([...twice.filled, ...twice.replaced]).toEqual([]);
        expect(twice.conflicts).toEqual(once.conflicts);
        expect(twice.provenance).toEqual(once.provenance);
      },
    ),
  );
});

test('B3 a user whom the gateway does not know is taken as the terminal has it', () => {
  fc.assert(
    fc.property(incoming, (theirs) => {
      const merged = merge(undefined, theirs);
      expect(shown(merged.record)).toEqual(shown(theirs.record));
      expect(merged.filled).toEqual([...theirs.record.fields.keys()]);
      for (const by of merged.provenance.values()) expect(by).toEqual(theirs.by);
    }),
  );
});

const seen = fc.array(record, { minLength: 1, maxLength: 4 }).chain((records) =>
  fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: records.length, maxLength: records.length })
    .map((times) =>
      records.map((one, i): Incoming => {
        const time = times[i] ?? 1;
        return { record: one, by: { origin: 'terminal', terminal: `terminal-${i}`, time } };
      }),
    ),
);
const inTwoOrders = seen.chain((ones) =>
  fc.tuple(fc.constant(ones), fc.shuffledSubarray([...ones], { minLength: ones.length })),
);

test.each(['newest-wins', 'union', 'gateway-wins'] as const)(
  'B4 %s: terminals may be merged in any order',
  (policy) => {
    fc.assert(
      fc.property(inTwoOrders, ([one, other]) => {
        const only = (field: number): boolean => field !== LATER && (policy !== 'union' || field === GROUPS);
        const cut = (ones: readonly Incoming[]): Incoming[] =>
          ones.map((seenOne) => ({
            ...seenOne,
            record: recordOf(
              7,
              [...seenOne.record.fields].filter(([field]) => only(field)),
            ),
          }));
        expect(shown(all(cut(other), everywhere(policy)))).toEqual(shown(all(cut(one), everywhere(policy))));
      }),
    );
  },
);

/** The fields dealt out among terminals, so that no two have the same. */
const dealtOut = fc
  .tuple(
    fc.uniqueArray(anyField, { selector: ([number]) => number, minLength: 2, maxLength: 9 }),
    fc.array(fc.nat({ max: 2 }), { minLength: 9, maxLength: 9 }),
  )
  .map(([fields, owners]) =>
    ['a', 'b', 'c'].map((terminal, index): Incoming => ({
      record: recordOf(
        7,
        fields.filter((_, i) => owners[i] === index),
      ),
      by: { origin: 'terminal', terminal, time: index },
    })),
  );

test('B3 fill-vacant: terminals that filled different fields may be merged in any order, into a held user too', () => {
  fc.assert(
    fc.property(
      fc.option(held, { nil: undefined }),
      dealtOut.chain((ones) =>
        fc.tuple(fc.constant(ones), fc.shuffledSubarray(ones, { minLength: ones.length })),
      ),
      (mine, [one, other]) => {
        const outcome = (ones: readonly Incoming[]): unknown => {
          let now = mine;
          const conflicts: number[] = [];
          for (const next of ones) {
            const merged = merge(now, next);
            conflicts.push(...merged.conflicts);
            now = merged;
          }
          const by = [...(now?.provenance ?? [])].sort(([a], [b]) => a - b);
          return [now === undefined ? [] : shown(now.record), by, conflicts.sort((a, b) => a - b)];
        };
        expect(outcome(other)).toEqual(outcome(one));
      },
    ),
  );
});

test('B4 each policy by its table', () => {
  const value = (text: string): UserRecord => recordOf(7, [[NAME, Buffer.from(text)]]);
  const mine: Held = { record: value('Ada'), provenance: new Map([[NAME, { origin: 'gateway', time: 5 }]]) };
  const later: Incoming = { record: value('Bea'), by: { origin: 'terminal', terminal: 'a', time: 6 } };
  const earlier: Incoming = { record: value('Bea'), by: { origin: 'terminal', terminal: 'a', time: 4 } };
  const nobody: Held = { record: recordOf(7, []), provenance: new Map() };
  const outcome = (ours: Held, theirs: Incoming, name: MergePolicy): string => {
    const { record: now, conflicts } = merge(ours, theirs, { name });
    const bytes = now.fields.get(NAME);
    return `${bytes === undefined ? '–' : Buffer.from(bytes).toString()}${conflicts.length > 0 ? ' !' : ''}`;
  };
  const table = MERGE_POLICIES.filter((policy) => policy !== 'union').map((policy) => [
    policy,
    outcome(mine, later, policy),
    outcome(mine, earlier, policy),
    outcome(nobody, later, policy),
  ]);
  expect(table).toEqual([
    ['fill-vacant', 'Ada !', 'Ada !', 'Bea'],
    ['terminal-wins', 'Bea', 'Bea', 'Bea'],
    ['gateway-wins', 'Ada !', 'Ada !', '– !'],
    ['newest-wins', 'Bea', 'Ada !', 'Bea'],
  ]);
});

test('B4 union of access groups loses none on either side', () => {
  fc.assert(
    fc.property(groups, groups, (a, b) => {
      const mine: Held = { record: recordOf(7, [[GROUPS, a]]), provenance: new Map() };
      const theirs: Incoming = {
        record: recordOf(7, [[GROUPS, b]]),
        by: { origin: 'terminal', terminal: 'a', time: 1 },
      };
      const merged = merge(mine, theirs, { groups: 'union' });
      const now = decodeField('groups', merged.record.fields.get(GROUPS) ?? new Uint8Array());
      const both = new Set([...decodeField('groups', a), ...decodeField('groups', b)]);
      expect(new Set(now)).toEqual(both);
      expect(merged.conflicts).toEqual([]);
    }),
  );
});

test('B4 a union that no user can have is a conflict, and nothing is lost', () => {
  const many = (from: number): Uint8Array =>
    encodeField(
      'groups',
      Array.from({ length: 20 }, (_, i) => from + i),
    );
  const mine: Held = { record: recordOf(7, [[GROUPS, many(1)]]), provenance: new Map() };
  const theirs: Incoming = {
    record: recordOf(7, [[GROUPS, many(100)]]),
    by: { origin: 'terminal', terminal: 'a', time: 1 },
  };
  const merged = merge(mine, theirs, { groups: 'union' });
  expect(shown(merged.record)).toEqual(shown(mine.record));
  expect(merged.conflicts).toEqual([GROUPS]);
});

test('B3 B4 what the gateway replaced or cleared does not come back from a terminal that was away', () => {
  const CARD = FIELDS['card.0'].number;
  const lost = Uint8Array.of(1, 2, 3);
  const mine: Held = {
    record: recordOf(7, []),
    provenance: new Map(),
    former: new Map([[CARD, [{ digest: fieldDigest(CARD, lost), from: 1, until: 5 }]]]),
  };
  const by = { origin: 'terminal', terminal: 'a', time: 9 } as const;
  const theirs = { record: recordOf(7, [[CARD, lost]]), by };
  for (const policy of ['fill-vacant', 'terminal-wins', 'newest-wins'] as const) {
    const away = merge(mine, { ...theirs, delivered: 4 }, { card: policy });
    expect([away.stale, away.filled, away.conflicts]).toEqual([[CARD], [], []]);
    const unsure = merge(mine, theirs, { card: policy });
    expect([unsure.stale, unsure.filled, unsure.conflicts]).toEqual([[], [], [CARD]]);
    const anew = merge(mine, { ...theirs, delivered: 5 }, { card: policy });
    expect([anew.stale, anew.filled, anew.conflicts]).toEqual([[], [CARD], []]);
  }
});

test('B4 a slot’s own policy goes before that of its kind, and the table tells', () => {
  const chosen = { finger: 'terminal-wins', 'finger.3': 'gateway-wins', groups: 'union' } as const;
  expect(policyOf(chosen, FIELDS['finger.3'].number)).toBe('gateway-wins');
  expect(policyOf(chosen, FIELDS['finger.4'].number)).toBe('terminal-wins');
  expect(policyOf(chosen, 0x3f)).toBe('fill-vacant');
  const rules = mergeRules(chosen);
  expect(rules).toHaveLength(Object.keys(FIELDS).length);
  expect(rules.find((rule) => rule.field === 'finger.4')).toMatchObject({ chosen: 'kind' });
  expect(rules.find((rule) => rule.field === 'groups')).toMatchObject({ policy: 'union', chosen: 'field' });
  expect(rules.find((rule) => rule.field === 'name')).toMatchObject({
    policy: 'fill-vacant',
    chosen: 'default',
  });
});

test('B4 union can be chosen for sets only', () => {
  const { merge: schema } = runtimeSettingsSchema.shape;
  expect(schema.safeParse({ groups: 'union' }).success).toBe(true);
  expect(schema.safeParse({ name: 'union' }).success).toBe(false);
  expect(schema.safeParse({ finger: 'terminal-wins', nmae: 'union' }).success).toBe(false);
});
