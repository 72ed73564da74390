import { hash } from 'node:crypto';
import {
  Faults,
  joinUnits,
  MemoryFlash,
  Medium,
  memoryPair,
  modelNamed,
  Terminal,
  terminalUnit,
} from '@whorl/device-emulator';
import type { Cable, FleetParts, Port, RunningLine, Target } from '@whorl/device-emulator';
import type { LineConfig, OpenTransport, Store } from '@whorl/gateway';
import { FrameSplitter, seededRandom, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { Between } from './between.ts';
import type { RigPlan } from './rig.ts';

/** Of a terminal whose own work takes no time. */
const IDLE = { storeMs: 0, computeMs: 0 };

/** The emulated side of a rig: terminals on their lines. */
export interface Bench {
  readonly terminals: ReadonlyMap<string, Terminal>;
  readonly media: ReadonlyMap<string, Medium>;
  readonly flashes: ReadonlyMap<string, MemoryFlash>;
}

/** What is kept of what a bench says. */
export type BenchRecord = Pick<FleetParts, 'tap' | 'tellKeys'>;

/** Makes the terminals of a plan; on TCP bytes take no time. */
export function makeBench(
  plan: RigPlan,
  clock: Clock,
  kind: 'memory' | 'pty' | 'tcp',
  { tap, tellKeys }: BenchRecord = {},
): Bench {
  const terminals = new Map<string, Terminal>();
  const media = new Map<string, Medium>();
  const flashes = new Map<string, MemoryFlash>();
  const seed = plan.seed ?? 1;
  for (const [line, members] of Object.entries(plan.lines)) {
    const baud = kind === 'tcp' ? undefined : (plan.baud ?? 115_200);
    const medium = new Medium({
      clock,
      random: seededRandom(seed + media.size),
      baud,
      turnaroundMs: plan.turnaroundMs ?? 1,
    });
    media.set(line, medium);
    tap?.({ name: line, ...(baud === undefined ? {} : { baud }) }, medium);
    for (const [index, member] of members.entries()) {
      const model = modelNamed(member.model ?? 'finger-10k', member.firmware);
      const quirks = new Set([...model.quirks, ...(member.quirks ?? [])]);
      const capabilities = {
        ...model.capabilities,
        users: member.capacity ?? model.capabilities.users,
        logs: member.logs ?? model.capabilities.logs,
      };
      const flash = new MemoryFlash();
      flashes.set(member.name, flash);
      const terminal = new Terminal({
        serial: `WX-${member.name}`,
        address: index + 1,
        model: { ...model, ...(member.busy === true ? {} : IDLE), capabilities, quirks },
        clock,
        random: seededRandom(seed * 100 + terminals.size),
        flash,
        tellKeys: tellKeys && ((keys) => tellKeys({ ...keys, line })),
      });
      terminal.setKey(keyFor(terminal.serial));
      medium.add(terminal);
      terminals.set(member.name, terminal);
    }
    const modules = plan.modbus?.modules[line];
    if (modules !== undefined)
      joinUnits(medium, [...members.map(({ name }) => terminalUnit(known(terminals, name))), ...modules]);
  }
  return { terminals, media, flashes };
}

/** What can be made wrong on a bench, whose lines hang on these cables. */
export function faultsOn(
  bench: Bench,
  cables: ReadonlyMap<string, Cable>,
  { plan, clock }: { plan: RigPlan; clock: Clock },
): { readonly faults: Faults; target(on: string): Target } {
  const targets = new Map<string, Target>();
  for (const [name, members] of Object.entries(plan.lines)) {
    const [medium, cable] = [known(bench.media, name), known(cables, name)];
    const terminals = new Map(members.map((member) => [member.name, known(bench.terminals, member.name)]));
    const line: RunningLine = { name, medium, cable, terminals };
    targets.set(name, { on: name, line });
    for (const [on, terminal] of terminals) targets.set(on, { on, line, terminal });
  }
  const random = seededRandom((plan.seed ?? 1) + 1);
  return { faults: new Faults({ clock, random }), target: (on) => known(targets, on) };
}

export function known<T>(things: ReadonlyMap<string, T>, name: string): T {
  const thing = things.get(name);
  if (thing === undefined) throw new Error(`nothing is called ${name}`);
  return thing;
}

/** Terminals of a rig leave their maker paired: pairing has tests of its own. */
export function keyFor(serial: string): Uint8Array {
  return hash('sha256', serial, 'buffer');
}

/** Gives a gateway's store the keys of these terminals. */
export async function pairAll(store: Store, terminals: ReadonlyMap<string, Terminal>): Promise<void> {
  await store.savePairings(
    new Map([...terminals].map(([terminal, { serial }]) => [serial, { terminal, key: keyFor(serial) }])),
    [],
  );
}

/** The lines of a plan as a gateway's configuration; `over` says how to reach each. */
export function linesOf(plan: RigPlan, over: (line: string) => LineConfig['over']): LineConfig[] {
  return Object.entries(plan.lines).map(([name, members]) => ({
    name,
    over: over(name),
    terminals: members.map((member, index) => ({
      name: member.name,
      address: index + 1,
      groups: member.groups ?? [],
    })),
  }));
}

/** A cable in memory that can be pulled. */
export class MemoryCable implements Cable {
  readonly place = 'memory';
  readonly #medium: Medium;
  readonly #between: Between | undefined;
  readonly #said: ((bytes: Uint8Array) => void) | undefined;
  #plugged = true;
  #told: (plugged: boolean) => void = () => undefined;
  #far: Port | undefined;

  /**
   * @param between who has cut it
   * @param said told of what the gateway says, before anything becomes of it on the wire
   */
  constructor(medium: Medium, between?: Between, said?: (bytes: Uint8Array) => void) {
    this.#medium = medium;
    this.#between = between;
    this.#said = said;
  }

  get plugged(): boolean {
    return this.#plugged;
  }

  onTurned(told: (plugged: boolean) => void): void {
    this.#told = told;
  }

  async plug(): Promise<void> {
    this.#plugged = true;
    this.#told(true);
  }

  async unplug(): Promise<void> {
    this.#plugged = false;
    this.#told(false);
    this.#medium.disconnect();
    await this.#far?.close();
  }

  readonly open: OpenTransport = async (events) => {
    if (!this.#plugged) throw new WhorlError('LINE_OPEN', 'the cable is not plugged in');
    const [near, far] = memoryPair();
    this.#far = far;
    const said = this.#said;
    const splitter = new FrameSplitter();
    let dropped = 0;
    let borrower: ((bytes: Uint8Array) => void) | undefined;
    near.onBytes((bytes) => {
      events.received(bytes.length);
      if (borrower !== undefined) {
        borrower(bytes);
        return;
      }
      splitter.push(bytes, events.frame);
      if (splitter.dropped > dropped) events.discarded(splitter.dropped - dropped);
      dropped = splitter.dropped;
    });
    near.onClosed(events.closed);
    this.#medium.connect(this.#between?.join(far) ?? far);
    return {
      write(bytes, written) {
        said?.(bytes);
        near.write(bytes);
        written();
      },
      lend(listener) {
        borrower = listener;
        return () => {
          borrower = undefined;
        };
      },
      cut() {
        const held = splitter.cut();
        if (held > 0) events.discarded(held);
        return held > 0;
      },
      close() {
        void near.close();
      },
    };
  };
}
