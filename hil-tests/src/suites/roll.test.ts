import type { Terminal } from '@whorl/device-emulator';
import { expect, vi } from 'vitest';
import { ALL, atRest, behaviour, digestsOf, verifiedOn } from '../rig/behaviour.ts';
import type { Rig } from '../rig/rig.ts';

type Heard = ReturnType<Terminal['hearCall']>;

/** From one tap of a card to its event, at worst, while the line is idle but for its calls. */
const ROUND_MS = 1_300;

/** Terminal 2 of the floor answers roll calls as `change` makes of it, until the result is called. */
function misbehaves(rig: Rig, change: (said: NonNullable<Heard>) => NonNullable<Heard>): () => void {
  const terminal = rig.terminal('terminal-2');
  const hearCall = terminal.hearCall.bind(terminal);
  const spy = vi.spyOn(terminal, 'hearCall').mockImplementation((call) => {
    const said = hearCall(call);
    return said === undefined ? undefined : change(said);
  });
  return () => {
    spy.mockRestore();
  };
}

async function longestTap(rig: Rig, name: string, taps: number): Promise<number> {
  let longest = 0;
  for (let i = 0; i < taps; i += 1) {
    const known = (await rig.events()).length;
    rig.terminal(name).tap({ user: 7 });
    let waited = 0;
    await rig.until(`the event of tap ${i}`, async () => {
      waited += 20;
      const events = (await rig.events()).slice(known);
      return events.some(({ type, terminal }) => type.startsWith('access.') && terminal === name);
    });
    longest = Math.max(longest, waited);
    await rig.pass(333);
  }
  return longest;
}

const WAYS = {
  'a slot too late': (said: NonNullable<Heard>) => ({ ...said, afterMs: said.afterMs + 1.5 }),
  'a whole round too late': (said: NonNullable<Heard>) => ({ ...said, afterMs: said.afterMs + 40 }),
  'twice in a row': (said: NonNullable<Heard>) => ({ ...said, wire: Buffer.concat([said.wire, said.wire]) }),
};

for (const [way, change] of Object.entries(WAYS))
  behaviour(
    `G2 B15 a terminal that answers the roll call ${way} disturbs no other for longer than a round`,
    async (rig) => {
      await rig.gateway.operations.addUser(7, { set: { name: 'Ada' }, clear: [] });
      await verifiedOn(rig, 7, ALL);
      const known = (await rig.events()).length;
      const mend = misbehaves(rig, change);
      await rig.pass(20_000);
      expect(await longestTap(rig, 'terminal-3', 10)).toBeLessThan(ROUND_MS);
      rig.terminal('terminal-1').enrol({ user: 8, fingers: 1 });
      await verifiedOn(
        rig,
        8,
        ALL.filter((name) => name !== 'terminal-2'),
        10_000,
      ).catch(() => verifiedOn(rig, 8, ALL, 1_000));
      mend();
      await verifiedOn(rig, 8, ALL);
      await atRest(rig);
      expect(digestsOf(rig, 8).size).toBe(1);
      const gone = (await rig.events()).slice(known).filter(({ type }) => type === 'terminal.offline');
      expect(gone.map(({ terminal }) => terminal).filter((name) => name !== 'terminal-2')).toEqual([]);
    },
    { on: ['memory'] },
  );
