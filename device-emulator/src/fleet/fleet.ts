import { join } from 'node:path';
import { describe, nearest, seededRandom, WhorlError } from '@whorl/protocol';
import type { Cancel, CapturedLine, Clock, LoggedKeys, Random, TrafficKeys } from '@whorl/protocol';
import type { Cable } from '../bus/cable.ts';
import type { RunningLine } from '../bus/line.ts';
import { Medium } from '../bus/medium.ts';
import { ptyCable } from '../bus/pty-cable.ts';
import { diallingCable, listeningCable } from '../bus/tcp.ts';
import { Faults } from '../faults/faults.ts';
import type { Target } from '../faults/faults.ts';
import { runSchedule } from '../faults/schedule.ts';
import { diskFlash } from '../files/disk.ts';
import { MemoryFlash } from '../firmware/flash.ts';
import type { Flash } from '../firmware/flash.ts';
import type { TellKeys } from '../firmware/handshake.ts';
import { shareUsers } from '../firmware/shared-users.ts';
import type { SharedUsers } from '../firmware/users.ts';
import type { Model } from '../firmware/model.ts';
import { Terminal } from '../firmware/terminal.ts';
import { modelNamed } from '../models/built-in.ts';
import { differing } from '../models/file.ts';
import { terminalUnit } from '../modbus/units.ts';
import type { IoModule } from '../modbus/units.ts';
import { joinUnits, makeBus, makeModules } from './modbus.ts';
import type { ModbusBus } from './modbus.ts';
import { readDump } from './dump.ts';
import { hold } from './hold.ts';
import type { LetGo } from './hold.ts';
import { makePeople } from './people.ts';
import { baudOf, serialOf } from './schema.ts';
import type { FleetConfig, FleetLine, FleetTerminal } from './schema.ts';

/** What a fleet may be given of the world. */
export interface FleetParts {
  /** Seeded from the file when not given. */
  readonly random?: Random;
  /** A file each under the fleet's `data`, or memory, when not given. */
  readonly flash?: (terminal: string) => Flash;
  /** Told, in one line, what went wrong behind everyone's back. */
  readonly log?: (line: string) => void;
  /** Takes each line before it is plugged in: to tap it. */
  readonly tap?: ((line: CapturedLine, medium: Medium) => void) | undefined;
  /** Takes the keys of every session; not to be given but for a test rig. */
  readonly tellKeys?: ((keys: LoggedKeys) => void) | undefined;
}

/** Terminals on their lines, started from a file. */
export class Fleet {
  readonly lines: ReadonlyMap<string, RunningLine>;
  /** What is wrong with them. */
  readonly faults: Faults;
  /** Buses that only Modbus is spoken on. */
  readonly buses: readonly ModbusBus[];
  /** Modules with contacts and relays, by name. */
  readonly modules: ReadonlyMap<string, IoModule>;
  readonly #letGo: LetGo;
  #endSchedule: Cancel = () => undefined;

  constructor(parts: {
    lines: readonly RunningLine[];
    faults: Faults;
    buses: readonly ModbusBus[];
    modules: readonly IoModule[];
    letGo: LetGo;
  }) {
    this.#letGo = parts.letGo;
    this.lines = new Map(parts.lines.map((line) => [line.name, line]));
    this.faults = parts.faults;
    this.buses = parts.buses;
    const modules = [...parts.modules, ...parts.buses.flatMap((bus) => bus.modules)];
    this.modules = new Map(modules.map((module) => [module.name, module]));
  }

  /** Lets faults come as a fleet file plans them. @throws WhorlError FLEET_UNKNOWN */
  schedule(
    planned: FleetConfig['faults'],
    { clock, log = () => undefined }: { clock: Clock; log?: ((line: string) => void) | undefined },
  ): void {
    const plan = planned.map((one) => ({
      fault: one.fault,
      given: one.with,
      forMs: one.for,
      atMs: one.at,
      everyMs: one.every,
      target: this.target(one.on),
    }));
    this.#endSchedule = runSchedule(plan, { faults: this.faults, clock, log });
  }

  /** @throws WhorlError FLEET_UNKNOWN */
  module(name: string): IoModule {
    const module = this.modules.get(name);
    if (module === undefined) throw unknown('module', name, this.modules.keys());
    return module;
  }

  /** A line or a terminal by its name. @throws WhorlError FLEET_UNKNOWN */
  target(on: string): Target {
    const line = this.lines.get(on);
    if (line !== undefined) return { on, line };
    const found = this.#terminal(on);
    if (found === undefined)
      throw unknown('line or terminal', on, [...this.lines.keys(), ...this.#terminals()]);
    return { on, ...found };
  }

  /** @throws WhorlError FLEET_UNKNOWN */
  terminal(name: string): { terminal: Terminal; line: RunningLine } {
    const found = this.#terminal(name);
    if (found === undefined) throw unknown('terminal', name, this.#terminals());
    return found;
  }

  /** @throws WhorlError FLEET_UNKNOWN */
  line(name: string): RunningLine {
    const line = this.lines.get(name);
    if (line === undefined) throw unknown('line', name, this.lines.keys());
    return line;
  }

  #terminal(name: string): { terminal: Terminal; line: RunningLine } | undefined {
    for (const line of this.lines.values()) {
      const terminal = line.terminals.get(name);
      if (terminal !== undefined) return { terminal, line };
    }
    return undefined;
  }

  #terminals(): string[] {
    return [...this.lines.values()].flatMap(({ terminals }) => [...terminals.keys()]);
  }

  /** Pulls all cables and cuts the power of all terminals. */
  async stop(): Promise<void> {
    this.#endSchedule();
    this.faults.stop();
    for (const { cable, terminals } of this.lines.values()) {
      for (const terminal of terminals.values()) terminal.powerOff();
      await cable.unplug();
    }
    for (const { cable } of this.buses) await cable.unplug();
    this.#letGo();
  }
}

/**
 * Makes the terminals of a fleet and plugs their lines in.
 * @throws WhorlError EMULATOR_TAKEN, FLASH_FAILED, MODEL_FILE, MODEL_UNKNOWN, PTY_NONE, PTY_LINK, EMULATOR_LISTEN,
 * TERMINAL_FULL, TERMINAL_CANNOT_HOLD; then nothing of it runs
 */
export async function startFleet(config: FleetConfig, clock: Clock, parts: FleetParts = {}): Promise<Fleet> {
  const letGo = await hold(placesOf(config, parts));
  let fleet: Fleet | undefined;
  try {
    fleet = makeFleet(config, clock, { ...parts, letGo });
    for (const { cable } of [...fleet.lines.values(), ...fleet.buses]) await cable.plug();
  } catch (error) {
    await fleet?.stop();
    letGo();
    throw error;
  }
  fleet.schedule(config.faults, { clock, log: parts.log });
  return fleet;
}

/** What of the file system a fleet has for itself. */
function placesOf({ data, lines, modbus }: FleetConfig, { flash }: FleetParts): string[] {
  const links = [...lines, ...modbus].flatMap(({ pty }) => (pty === undefined ? [] : [pty.link]));
  return [...(data === undefined || flash !== undefined ? [] : [data]), ...links];
}

function makeFleet(config: FleetConfig, clock: Clock, parts: FleetParts & { readonly letGo: LetGo }): Fleet {
  const random = parts.random ?? seededRandom(config.seed);
  const flash = parts.flash ?? flashOf(config);
  const crowds: Crowds = new Map();
  const made = config.lines.map((line) => makeLine(line, { ...parts, clock, random, flash, crowds }));
  const terminals = new Map(made.flatMap(({ line }) => [...line.terminals]));
  const terminal = (name: string): Terminal => {
    const found = terminals.get(name);
    if (found === undefined) throw new WhorlError('FLEET_UNKNOWN', `no terminal is called ${name}`);
    return found;
  };
  return new Fleet({
    lines: made.map(({ line }) => line),
    modules: made.flatMap(({ modules }) => modules),
    faults: new Faults({ clock, random: fork(random), log: parts.log }),
    buses: config.modbus.map((bus) => makeBus(bus, { clock, random: fork(random), terminal })),
    letGo: parts.letGo,
  });
}

function unknown(what: string, name: string, known: Iterable<string>): WhorlError {
  const near = nearest(name, [...known]);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return new WhorlError('FLEET_UNKNOWN', `no ${what} is called ${name}${hint}`);
}

const USUAL_TURNAROUND_MS = 1;

type Made = Required<Pick<FleetParts, 'random' | 'flash'>> &
  Pick<FleetParts, 'log' | 'tap' | 'tellKeys'> & { readonly clock: Clock; readonly crowds: Crowds };

function flashOf({ data }: FleetConfig): (terminal: string) => Flash {
  return (terminal) => (data === undefined ? new MemoryFlash() : diskFlash(join(data, `${terminal}.flash`)));
}

/** A source of its own, so that what one part draws changes nothing for the others. */
function fork(random: Random): Random {
  return seededRandom(random.below(2 ** 32));
}

function makeLine(
  line: FleetLine,
  parts: Made,
): { readonly line: RunningLine; readonly modules: readonly IoModule[] } {
  const baud = baudOf(line);
  const { turnaroundMs, echo, reflections } = line;
  const medium = new Medium({
    ...{ clock: parts.clock, random: fork(parts.random), baud, echo, reflections },
    turnaroundMs: turnaroundMs ?? USUAL_TURNAROUND_MS,
  });
  parts.tap?.({ name: line.name, ...(baud === undefined ? {} : { baud }) }, medium);
  const terminals = new Map<string, Terminal>();
  const { tellKeys } = parts;
  const tellOwn = tellKeys && ((keys: TrafficKeys) => tellKeys({ ...keys, line: line.name }));
  for (const options of line.terminals) {
    const terminal = makeTerminal(options, baud, { ...parts, tellOwn });
    medium.add(terminal, {
      turnaroundMs: options.turnaroundMs ?? turnaroundMs ?? terminal.model.turnaroundMs,
    });
    terminals.set(options.name, terminal);
  }
  const cable = cableOf(line, medium, parts.clock);
  const [only] = terminals.values();
  if (baud === undefined && only !== undefined) followPower(only, cable, parts);
  const modules = makeModules(line.modules);
  joinUnits(medium, [...(line.modbus ? [...terminals.values()].map(terminalUnit) : []), ...modules]);
  return { line: { name: line.name, medium, cable, terminals }, modules };
}

function makeTerminal(
  options: FleetTerminal,
  baud: number | undefined,
  parts: Made & { readonly tellOwn: TellKeys | undefined },
): Terminal {
  const dump = options.from === undefined ? undefined : readDump(options.from);
  const model = modelOf(options, dump?.model ?? modelNamed(options.model, options.firmware), baud);
  const terminal = new Terminal({
    serial: serialOf(options),
    address: options.address,
    model,
    clock: parts.clock,
    random: fork(parts.random),
    flash: parts.flash(options.name),
    tellKeys: parts.tellOwn,
  });
  const isNew = terminal.boots === 1;
  if (isNew && dump !== undefined) terminal.restore(dump.held);
  else if (isNew) seed(terminal, options, parts.crowds);
  return terminal;
}

function modelOf(
  { quirks, bootMs, ...options }: FleetTerminal,
  model: Model,
  baud: number | undefined,
): Model {
  const capabilities = {
    ...differing(model.capabilities, options.capabilities),
    // On a wire whoever is asked must have answered before anybody is asked again.
    ...(baud === undefined ? {} : { window: 1 }),
  };
  return {
    ...model,
    capabilities,
    bootMs: bootMs ?? model.bootMs,
    quirks: new Set([...model.quirks, ...quirks]),
  };
}

/** Users by what they are made of: many terminals of a fleet hold the same. */
type Crowds = Map<string, SharedUsers>;

function seed(terminal: Terminal, { users = 0 }: FleetTerminal, crowds: Crowds): void {
  const people =
    typeof users === 'number' ? { count: users, from: 1, fingers: 0, cards: 0, faces: 0, seed: 1 } : users;
  if (people.count === 0) return;
  const { model } = terminal;
  const key = JSON.stringify([people, model.capabilities, model.sizes]);
  const crowd = crowds.get(key) ?? shareUsers(makePeople(people, model), model.capabilities);
  crowds.set(key, crowd);
  terminal.load(crowd);
}

function cableOf(line: FleetLine, medium: Medium, clock: Clock): Cable {
  if (line.pty !== undefined) return ptyCable(medium, { ...line.pty, clock });
  if (line.listen !== undefined) return listeningCable(medium, line.listen);
  if (line.dial !== undefined) return diallingCable(medium, { ...line.dial, clock });
  throw new WhorlError('FLEET_FILE', `line ${line.name}: give it one of pty, listen and dial`);
}

/** A terminal with a network plug of its own: its connection dies with it. */
function followPower(terminal: Terminal, cable: Cable, { log }: Made): void {
  const tell = (error: unknown): void => log?.(`terminal ${terminal.serial}: ${describe(error)}`);
  terminal.onSilent(() => {
    cable.unplug().catch(tell);
  });
  terminal.watch((noticed) => {
    if (noticed.kind === 'power' && noticed.power === 'on') cable.plug().catch(tell);
  });
}
