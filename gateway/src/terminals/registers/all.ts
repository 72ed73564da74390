import { WhorlError } from '@whorl/protocol';
import type { Line } from '../../lines/line.ts';
import type { LineStatus } from '../../lines/status.ts';
import type { ModbusBusConfig } from '../../settings/modbus.ts';
import { RegisterBus } from './bus.ts';
import type { RegisterWatcher } from './bus.ts';
import { TERMINAL_REGISTERS } from './registers.ts';
import type { UnitPlan, UnitStatus } from './registers.ts';

interface RegistersParts {
  readonly buses: readonly ModbusBusConfig[];
  /** The line whose wire a bus shares. */
  readonly shared: (line: string) => Line;
  /** A line of a bus's own. */
  readonly own: (bus: ModbusBusConfig) => Line;
  /** Address of a terminal. */
  readonly address: (terminal: string) => number;
  readonly watcher: RegisterWatcher;
}

/** All registers of the site: of terminals and of modules, on whatever bus. */
export class Registers {
  readonly #buses: readonly RegisterBus[];
  readonly #ownLines: readonly Line[];

  constructor({ buses, shared, own, address, watcher }: RegistersParts) {
    const ownLines: Line[] = [];
    this.#buses = buses.map((bus) => {
      const line = bus.line === undefined ? own(bus) : shared(bus.line);
      if (bus.line === undefined) ownLines.push(line);
      return new RegisterBus({
        name: bus.name,
        line,
        framing: bus.tcp === undefined ? 'rtu' : 'tcp',
        units: unitsOf(bus, address),
        everyMs: bus.every,
        watcher,
      });
    });
    this.#ownLines = ownLines;
  }

  start(): void {
    for (const line of this.#ownLines) line.start();
    for (const bus of this.#buses) bus.start();
  }

  async stop(): Promise<void> {
    const stopped = this.#buses.map((bus) => bus.stop());
    await Promise.all(this.#ownLines.map((line) => line.stop()));
    await Promise.all(stopped);
  }

  /** Lines that only these registers are read over. */
  lines(): LineStatus[] {
    return this.#ownLines.map((line) => line.status());
  }

  status(): UnitStatus[] {
    return this.#buses.flatMap((bus) => bus.status());
  }

  /**
   * Sets a register and reads it back.
   * @returns its value then
   * @throws WhorlError REGISTER_UNKNOWN, REGISTER_READONLY, REQUEST_INVALID, MODBUS_*, LINE_CLOSED
   */
  write(unit: string, register: string, value: number): Promise<number> {
    const bus = this.#buses.find((one) => one.unit(unit) !== undefined);
    if (bus === undefined)
      throw new WhorlError('REGISTER_UNKNOWN', `no terminal or module with registers is called ${unit}`);
    return bus.write(unit, register, value);
  }
}

function unitsOf(bus: ModbusBusConfig, address: (terminal: string) => number): UnitPlan[] {
  const terminals = bus.terminals.map((name) => ({
    name,
    unit: address(name),
    terminal: true,
    registers: TERMINAL_REGISTERS,
  }));
  return [...terminals, ...bus.modules.map((one) => ({ ...one, terminal: false }))];
}
