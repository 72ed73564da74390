import type { Medium, Terminal } from '@whorl/device-emulator';
import type { LineConfig, OpenTransport, Store } from '@whorl/gateway';
import type { VirtualClock } from '@whorl/protocol';
import type { RigPlan } from '../../rig/rig.ts';
import { linesOf, makeBench, MemoryCable, pairAll } from '../../rig/wiring.ts';

/** Emulated terminals of a site on a virtual line. Idle polls of a month cost hours: between visits the line is unplugged. */
export class Hall {
  readonly terminals: ReadonlyMap<string, Terminal>;
  readonly lines: readonly LineConfig[];
  readonly #media: ReadonlyMap<string, Medium>;
  readonly #cables: ReadonlyMap<string, MemoryCable>;

  constructor(clock: VirtualClock, seed: number, names: readonly string[]) {
    const plan: RigPlan = { lines: { floor: names.map((name) => ({ name })) }, seed };
    const { terminals, media } = makeBench(plan, clock, 'memory');
    this.terminals = terminals;
    this.#media = media;
    this.#cables = new Map([...this.#media].map(([name, medium]) => [name, new MemoryCable(medium)]));
    const over = { kind: 'serial', path: 'memory', baud: 115_200, turnaroundMs: 1, latencyMs: 2 } as const;
    this.lines = linesOf(plan, () => over);
  }

  /** They left their maker paired. */
  pair(store: Store): Promise<void> {
    return pairAll(store, this.terminals);
  }

  open(line: string): OpenTransport | undefined {
    return this.#cables.get(line)?.open;
  }

  async plug(): Promise<void> {
    for (const cable of this.#cables.values()) await cable.plug();
  }

  async unplug(): Promise<void> {
    for (const cable of this.#cables.values()) await cable.unplug();
  }
}
