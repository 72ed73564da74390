import { codeOf, describe, sleep, WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { Line } from '../../lines/line.ts';
import { ModbusMaster } from '../../lines/modbus/master.ts';
import type { ModbusFraming } from '../../lines/modbus/wire-port.ts';
import type { RegisterConfig } from '../../settings/modbus.ts';
import { readsOf } from './reads.ts';
import { rawOf, registerOf } from './registers.ts';
import type { UnitPlan, UnitStatus } from './registers.ts';

/** Told of what units say. */
export interface RegisterWatcher {
  /** A bit has another value than before; `before` absent when it was read for the first time. */
  readonly changed: (unit: UnitPlan, register: string, value: number, before: number | undefined) => void;
  readonly silent: (unit: UnitPlan, reason: string) => void;
  /** It answers again, or for the first time. */
  readonly answers: (unit: UnitPlan) => void;
}

/** Readings in a row that may fail before a unit counts as silent. */
const PATIENCE = 3;
/** After a round nothing is read for at least so many times as long as it took: most of a shared wire is the terminals'. */
const REST = 3;
/** A silent unit is asked less and less often: each try costs the others on the wire its time-out. */
const SLOWEST_MS = 30_000;

interface Polled {
  readonly plan: UnitPlan;
  readonly reads: ReturnType<typeof readsOf>;
  /** Raw values by name. */
  readonly values: Map<string, number>;
  state: UnitStatus['state'];
  reason: string | undefined;
  readAt: number | undefined;
  failures: number;
  /** When it is asked next, by the line's clock. */
  due: number;
}

/** Reads the registers of the units on one line, again and again. */
export class RegisterBus {
  readonly name: string;
  readonly #master: ModbusMaster;
  readonly #line: Line;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #units: readonly Polled[];
  readonly #watcher: RegisterWatcher;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: {
    name: string;
    line: Line;
    framing: ModbusFraming;
    units: readonly UnitPlan[];
    everyMs: number;
    watcher: RegisterWatcher;
  }) {
    this.name = parts.name;
    this.#line = parts.line;
    this.#clock = parts.line.clock;
    this.#master = new ModbusMaster(parts.line, parts.framing);
    this.#everyMs = parts.everyMs;
    this.#watcher = parts.watcher;
    this.#units = parts.units.map((plan) => ({
      plan,
      reads: readsOf(plan.registers),
      values: new Map(),
      state: 'waiting',
      reason: undefined,
      readAt: undefined,
      failures: 0,
      due: 0,
    }));
  }

  start(): void {
    this.#running ??= this.#poll();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  status(): UnitStatus[] {
    return this.#units.map(({ plan, state, reason, readAt, values }) => ({
      name: plan.name,
      bus: this.name,
      unit: plan.unit,
      terminal: plan.terminal,
      state,
      ...(state === 'silent' && reason !== undefined ? { reason } : {}),
      ...(readAt === undefined ? {} : { readAt }),
      registers: plan.registers.map(({ name, kind, address, scale, unit, write }) => {
        const raw = values.get(name);
        return {
          name,
          kind,
          address,
          writable: write,
          ...(raw === undefined ? {} : { value: scaled(raw, scale) }),
          ...(unit === undefined ? {} : { unit }),
        };
      }),
    }));
  }

  /** A unit of this bus by its name. */
  unit(name: string): UnitPlan | undefined {
    return this.#units.find(({ plan }) => plan.name === name)?.plan;
  }

  /**
   * Sets a register and reads it back.
   * @returns its value then, scaled
   * @throws WhorlError REGISTER_UNKNOWN, REGISTER_READONLY, REQUEST_INVALID, MODBUS_*, LINE_CLOSED
   */
  async write(unit: string, name: string, value: number): Promise<number> {
    const polled = this.#units.find(({ plan }) => plan.name === unit);
    if (polled === undefined) throw new WhorlError('REGISTER_UNKNOWN', `no unit is called ${unit}`);
    const register = registerOf(polled.plan, name);
    const { kind, address, scale } = register;
    const raw = rawOf(polled.plan, register, value);
    if (kind === 'coil' || kind === 'holding')
      await this.#master.write(polled.plan.unit, { kind, address, value: raw });
    const now = await this.#readBack(polled.plan.unit, { kind, address });
    this.#take(polled, name, now);
    return scaled(now, scale);
  }

  async #readBack(unit: number, register: Pick<RegisterConfig, 'kind' | 'address'>): Promise<number> {
    for (let tries = 1; ; tries += 1)
      try {
        const [value = 0] = await this.#master.read(unit, { ...register, count: 1 }, 'command');
        return value;
      } catch (error) {
        if (codeOf(error) !== 'MODBUS_SILENT' || tries === PATIENCE) throw error;
      }
  }

  #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #poll(): Promise<void> {
    while (!this.#isStopping()) {
      const began = this.#clock.now();
      for (const polled of this.#units)
        if (polled.due <= began && !this.#isStopping()) await this.#read(polled);
      const took = this.#clock.now() - began;
      const pause = Math.max(this.#everyMs - took, took * REST);
      await sleep(this.#clock, pause, this.#stop.signal).catch(() => undefined);
    }
  }

  async #read(polled: Polled): Promise<void> {
    // A closed line says nothing of the units on it.
    if (!this.#line.isOpen) return;
    try {
      for (const read of polled.reads) {
        const values = await this.#master.read(polled.plan.unit, read, 'live');
        for (const { name, kind, address } of polled.plan.registers)
          if (kind === read.kind && address >= read.address && address < read.address + read.count)
            this.#take(polled, name, values[address - read.address] ?? 0);
      }
      this.#answered(polled);
    } catch (error) {
      if (codeOf(error) !== 'LINE_CLOSED') this.#failed(polled, describe(error));
    }
  }

  #answered(polled: Polled): void {
    polled.failures = 0;
    polled.due = 0;
    polled.readAt = this.#clock.wallTime();
    if (polled.state === 'answering') return;
    polled.state = 'answering';
    polled.reason = undefined;
    this.#watcher.answers(polled.plan);
  }

  #failed(polled: Polled, reason: string): void {
    polled.failures += 1;
    if (polled.failures < PATIENCE) return;
    const wait = Math.min(SLOWEST_MS, this.#everyMs * 2 ** Math.min(16, polled.failures - PATIENCE + 1));
    polled.due = this.#clock.now() + wait;
    polled.reason = reason;
    if (polled.state === 'silent') return;
    polled.state = 'silent';
    this.#watcher.silent(polled.plan, reason);
  }

  #take(polled: Polled, name: string, value: number): void {
    const before = polled.values.get(name);
    polled.values.set(name, value);
    if (before === value) return;
    const register = registerOf(polled.plan, name);
    if (register.kind === 'coil' || register.kind === 'discrete')
      this.#watcher.changed(polled.plan, name, value, before);
  }
}

/** Without the noise that a factor such as 0.1 leaves behind. */
function scaled(raw: number, scale: number): number {
  return Number((raw * scale).toPrecision(12));
}
