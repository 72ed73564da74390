import { expect, test } from 'vitest';
import { weekAway } from '../rig/week.ts';

const PLAN = { users: 5_000, lines: 2, terminalsPerLine: 4, edits: 100, seed: 11 };
/** What a list of a terminal's users costs: id and digest. */
const LIST_BYTES = 20 * PLAN.users;
const TERMINALS = PLAN.lines * PLAN.terminalsPerLine;

test(
  'B11 after a week away only differences travel: users are fetched and sent for what people did, and for nothing else',
  { timeout: 180_000 },
  async () => {
    const { edits, caughtUp, compared, reports } = await weekAway(PLAN);
    for (const { different, missing, extra } of reports)
      expect({ different, missing, extra }).toEqual({ different: [], missing: [], extra: [] });
    const { terminals } = caughtUp;
    const causes = terminals.map(({ doubt }) => doubt);
    expect(causes).toEqual([
      'overwritten',
      'cleared',
      undefined,
      undefined,
      'overwritten',
      'cleared',
      undefined,
      undefined,
    ]);
    // Who was deleted at a terminal is neither fetched from it nor sent to it.
    const toFetch = edits.card + edits.new + edits.name;
    expect(terminals.reduce((sum, { fetched }) => sum + fetched, 0)).toBe(toFetch);
    const toSend = (edits.card + edits.new) * (TERMINALS - 1) + edits.name;
    const written = terminals.reduce((sum, one) => sum + one.written, 0);
    expect(written).toBeLessThanOrEqual(toSend);
    expect(written).toBeGreaterThan(0.9 * toSend);
    expect(caughtUp.bytes / TERMINALS).toBeLessThan(LIST_BYTES / 5);
    expect(compared.bytes / TERMINALS).toBeLessThan(200);
  },
);
