import { hasPty } from '@whorl/device-emulator';
import { onTestFinished, test } from 'vitest';
import { memoryRig } from './memory.ts';
import { realRig } from './real.ts';
import { SMALL_SITE } from './rig.ts';
import type { Rig, RigKind, RigPlan } from './rig.ts';

const TIMEOUT_MS = 60_000;

export interface BehaviourOptions {
  /** What the site has; six terminals unless it matters. */
  readonly plan?: RigPlan;
  /** Where it runs; everywhere unless real time would say nothing more. */
  readonly on?: readonly RigKind[];
}

/**
 * One behaviour of the whole product, run unchanged on each rig: in memory and virtual time, on pseudo-terminals, on
 * TCP. The rig is online when `body` begins and is taken down when it ends.
 */
export function behaviour(
  title: string,
  body: (rig: Rig) => Promise<void>,
  options: BehaviourOptions = {},
): void {
  for (const kind of options.on ?? (['memory', 'pty', 'tcp'] as const)) {
    test(`${title} [${kind}]`, { timeout: TIMEOUT_MS }, async (context) => {
      if (kind === 'pty' && !hasPty()) context.skip('no pseudo-terminals on this system');
      const plan = options.plan ?? SMALL_SITE;
      const rig = kind === 'memory' ? await memoryRig(plan) : await realRig(kind, plan);
      onTestFinished(() => rig.close());
      await allOnline(rig);
      await body(rig);
    });
  }
}

/** Waits until every terminal answers and its log is read. */
export async function allOnline(rig: Rig): Promise<void> {
  await rig.until('all terminals online', async () =>
    (await rig.gateway.operations.status()).terminals.every((terminal) => terminal.state === 'online'),
  );
  await rig.until(
    'the first logs of all terminals',
    async () =>
      (await rig.gateway.store.terminals()).length === rig.terminals.size &&
      (await rig.gateway.store.terminals()).every((row) => row.position.id > 0),
  );
}

/** Waits until a user is verified on all these terminals, and on no others. */
export async function verifiedOn(
  rig: Rig,
  user: number,
  names: readonly string[],
  withinMs = 30_000,
): Promise<void> {
  const wanted = [...names].sort().join();
  await rig.until(
    `user ${user} verified on ${wanted}`,
    async () => {
      const rows = await rig.gateway.store.ledger({ user, limit: 1000 });
      const verified = rows
        .filter((row) => row.state === 'verified' && row.want === 'present')
        .map((row) => row.terminal);
      return verified.sort().join() === wanted;
    },
    { withinMs },
  );
}

/** Waits until nothing is on its way any more. */
export async function atRest(rig: Rig, withinMs = 60_000): Promise<void> {
  await rig.until(
    'the site at rest',
    async () => {
      const status = await rig.gateway.operations.status();
      return (
        status.openPulls === 0 &&
        status.terminals.every(
          ({ ledger, state }) => state === 'online' && ledger.pending + ledger.sending === 0,
        )
      );
    },
    { withinMs },
  );
}

export const ALL = [
  'terminal-1',
  'terminal-2',
  'terminal-3',
  'terminal-4',
  'terminal-5',
  'terminal-6',
] as const;

/** The user's digest at each terminal that has it. */
export function digestsOf(rig: Rig, user: number): Set<string> {
  return new Set([...rig.terminals.values()].flatMap((terminal) => terminal.users().get(user) ?? []));
}
