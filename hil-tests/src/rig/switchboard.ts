import type { Fleet } from '@whorl/device-emulator';
import type { ConsolePlace } from './console.ts';
import { handsAt } from './hands.ts';
import { handsBehind, switchOf } from './port-hands.ts';
import type { Switched } from './port-hands.ts';
import type { PortsFile, PortsLine, PortsTerminal } from './rig-file.ts';
import type { Hands } from './site.ts';
import { known } from './wiring.ts';

/** All that can be done at the terminals and lines of a rig on ports; knows what is switched off. */
export class Switchboard {
  readonly places: ReadonlyMap<string, { readonly line: PortsLine; readonly terminal: PortsTerminal }>;
  readonly #file: PortsFile;
  readonly #fleet: Fleet | undefined;
  readonly #console: ConsolePlace | undefined;
  readonly #off = new Map<string, () => Promise<void>>();

  /** @param fleet the lines that the rig emulates */
  constructor(file: PortsFile, fleet: Fleet | undefined, at: ConsolePlace | undefined) {
    this.#file = file;
    this.#fleet = fleet;
    this.#console = at;
    this.places = new Map(
      file.lines.flatMap((line) => line.terminals.map((terminal) => [terminal.name, { line, terminal }])),
    );
  }

  /** @throws Error when nothing is called so */
  hands(name: string): Hands {
    const { line, terminal } = known(this.places, name);
    const isOurs = line.emulated !== undefined && this.#fleet !== undefined;
    const hands = isOurs
      ? handsAt(this.#fleet.terminal(name).terminal)
      : handsBehind(terminal, this.#console);
    return {
      ...hands,
      powerOff: () => this.#switchOff(name, { off: () => hands.powerOff(), on: () => hands.powerOn() }),
      powerOn: () => this.#switchOn(name, () => hands.powerOn()),
    };
  }

  plug(line: string): Promise<void> {
    return this.#switchOn(line, () => this.#cable(line).on());
  }

  unplug(line: string): Promise<void> {
    return this.#switchOff(line, this.#cable(line));
  }

  /** Switches on what is off, as far as it can be. */
  async restore(): Promise<void> {
    // What cannot be put right shows in the next behaviour; the ports are given back all the same.
    for (const on of this.#off.values()) await on().catch(() => undefined);
    this.#off.clear();
  }

  async #switchOff(name: string, { off, on }: Switched): Promise<void> {
    this.#off.set(name, on);
    await off();
  }

  async #switchOn(name: string, on: () => Promise<void>): Promise<void> {
    await on();
    this.#off.delete(name);
  }

  #cable(name: string): Switched {
    const line = this.#file.lines.find((one) => one.name === name);
    if (line === undefined) throw new Error(`nothing is called ${name}`);
    if (line.emulated !== undefined && this.#fleet !== undefined) {
      const { cable } = this.#fleet.line(name);
      return { off: () => cable.unplug(), on: () => cable.plug() };
    }
    return switchOf(line.cable, this.#console, {
      of: `the cable of ${name}`,
      person: [`Pull the cable of line ${name}`, `Plug in the cable of line ${name} again`],
      emulator: [`/lines/${name}/unplug`, `/lines/${name}/plug`],
    });
  }
}
