import { fitting, recordDigest } from '@whorl/protocol';
import type { Rig } from '../rig/rig.ts';
import { inTime } from './rest.ts';

/** @throws Error naming in what a comparison of a terminal says something else than is so */
export async function checkComparison(rig: Rig, name: string): Promise<void> {
  const { store, operations } = rig.gateway;
  const terminal = rig.terminal(name);
  const there = terminal.users();
  const rows = await store.ledger({ terminal: name, limit: 10_000 });
  const expected = new Map<number, string>();
  for (const { user, want, state } of rows) {
    const held = want === 'absent' || state === 'withheld' ? undefined : await store.user(user);
    if (held === undefined) continue;
    // What it cannot hold is no difference.
    const digest = recordDigest(fitting(held.record, terminal.model.capabilities));
    expected.set(user, Buffer.from(digest).toString('hex'));
  }
  const apart = rows.filter(({ reason }) => reason === 'two-people').map(({ user }) => user);
  const right = {
    different: [...expected].filter(([id, digest]) => there.has(id) && there.get(id) !== digest).map(idOf),
    missing: [...expected.keys()].filter((id) => !there.has(id)),
    extra: [...there.keys()].filter((id) => !expected.has(id) && !apart.includes(id)),
    heldApart: [...there.keys()].filter((id) => !expected.has(id) && apart.includes(id)),
  };
  const report = await inTime(rig, `a comparison of ${name}`, operations.compare(name, {}));
  for (const kind of ['different', 'missing', 'extra', 'heldApart'] as const)
    if (told(report[kind]) !== told(right[kind]))
      throw new Error(
        `${name}: ${kind} are ${told(right[kind])}, and a comparison says ${told(report[kind])}`,
      );
}

function idOf([id]: readonly [number, string]): number {
  return id;
}

function told(users: readonly number[]): string {
  return users.length === 0 ? 'none' : [...users].sort((a, b) => a - b).join(', ');
}
