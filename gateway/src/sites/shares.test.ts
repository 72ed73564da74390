import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareOf } from './shares.ts';

const MEMBERS = ['a', 'b', 'c', 'd'];

test('S12 wherever processes and satellites stand, after a few looks each satellite is with one process, and no process has more than its part', () => {
  const cases = fc.record({
    members: fc.subarray(MEMBERS, { minLength: 1 }),
    holders: fc.array(fc.option(fc.constantFrom(...MEMBERS), { nil: undefined }), { maxLength: 63 }),
  });
  fc.assert(
    fc.property(cases, ({ members, holders }) => {
      const list = holders.map((_, index) => index + 2);
      const sites = new Map<number, string>();
      for (const [index, name] of holders.entries())
        if (name !== undefined && members.includes(name)) sites.set(index + 2, name);
      for (let look = 0; look < 2; look += 1)
        for (const name of members) {
          const { take, leave } = shareOf({ name, members, sites, connection: 1 }, list);
          const mine = list.filter((site) => sites.get(site) === name);
          for (const site of mine.slice(0, leave)) sites.delete(site);
          for (const site of take) {
            expect(sites.has(site)).toBe(false);
            sites.set(site, name);
          }
        }
      const part = Math.ceil(list.length / members.length);
      expect([...sites.keys()].sort((x, y) => x - y)).toEqual(list);
      for (const name of members)
        expect([...sites.values()].filter((one) => one === name).length).toBeLessThanOrEqual(part);
    }),
  );
});
