import type { Cable } from '@whorl/device-emulator';
import { silentLog, startGateway } from '@whorl/gateway';
import type { Gateway, LineConfig, Log, Store } from '@whorl/gateway';
import { seededRandom } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { everyAbility } from './hands.ts';
import type { Rig, RigPlan } from './rig.ts';
import type { Site } from './site.ts';
import { faultsOn, known } from './wiring.ts';
import type { Bench } from './wiring.ts';

type Emulated = Pick<Rig, 'terminals' | 'media' | 'flashes' | 'terminal' | 'faults' | 'target'> &
  Pick<Site, 'plug' | 'unplug'> &
  ReturnType<typeof everyAbility>;

/** What every rig has whose terminals are in this process, whatever they hang on. */
export function emulatedParts(
  bench: Bench,
  cables: ReadonlyMap<string, Cable>,
  { plan, clock }: { plan: RigPlan; clock: Clock },
): Emulated {
  const { terminals, media, flashes } = bench;
  return {
    ...{ terminals, media, flashes },
    terminal: (name) => known(terminals, name),
    ...everyAbility(plan, terminals),
    ...faultsOn(bench, cables, { plan, clock }),
    plug: (line) => known(cables, line).plug(),
    unplug: (line) => known(cables, line).unplug(),
  };
}

/** Waits on a rig: looks so often, for so long unless it is told otherwise. */
export function untilBy(by: {
  readonly clock: Clock;
  readonly pass: (ms: number) => Promise<unknown>;
  readonly lookMs: number;
  readonly patienceMs: number;
}): Site['until'] {
  const { clock, pass, lookMs, patienceMs } = by;
  return async (what, condition, { withinMs = patienceMs } = {}) => {
    for (const end = clock.now() + withinMs; clock.now() < end;) {
      if (await condition()) return;
      await pass(lookMs);
    }
    throw new Error(`awaited for ${withinMs} ms in vain: ${what}`);
  };
}

type GatewayParts = Partial<Pick<Parameters<typeof startGateway>[0], 'open' | 'renewalMs'>>;

/** Starts the gateway of a rig, each time with random numbers of its own. */
export function starter(
  plan: RigPlan,
  parts: { readonly clock: Clock; readonly log?: Log | undefined } & GatewayParts,
): (store: Store, lines: readonly LineConfig[]) => Promise<Gateway> {
  let starts = 0;
  const { clock, log = silentLog, open, renewalMs } = parts;
  return (store, lines) => {
    starts += 1;
    return startGateway({
      config: { name: 'rig', lines: [...lines], modbus: plan.modbus?.buses },
      version: '0.0.0',
      ...{ store, clock, log, renewalMs },
      ...(open === undefined ? {} : { open }),
      random: seededRandom((plan.seed ?? 1) + starts),
    });
  };
}
