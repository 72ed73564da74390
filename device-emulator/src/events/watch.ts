import { fieldName } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { RunningLine } from '../bus/line.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { Front } from '../firmware/front.ts';
import type { Noticed } from '../firmware/noticed.ts';
import type { ShownLog } from '../firmware/shown-log.ts';
import type { Terminal } from '../firmware/terminal.ts';
import type { IoModule } from '../modbus/units.ts';
import type { Happened } from './event.ts';
import { EventLog } from './event-log.ts';
import { tellTraffic } from './traffic.ts';

/** Stands before all terminals of a fleet at once: tells what can be noticed, and what crosses the lines. */
export class Watch {
  readonly log: EventLog;
  readonly #fronts = new Map<Terminal, Front>();
  readonly #ends: (() => void)[] = [];

  constructor(fleet: Fleet, clock: Clock) {
    this.log = new EventLog(clock);
    for (const line of fleet.lines.values()) this.#watchLine(line, clock);
    for (const module of fleet.modules.values()) this.#watchModule(module);
    fleet.faults.onChange(({ fault, on }, active) => {
      const { line, terminal } = fleet.target(on);
      const where = { line: line.name, ...(terminal === undefined ? {} : { terminal: on }) };
      this.log.tell({ kind: 'fault', ...where, fault, active });
    });
  }

  /** What stands in front of a terminal of this fleet. */
  front(terminal: Terminal): Front {
    const front = this.#fronts.get(terminal);
    if (front === undefined) throw new Error(`terminal ${terminal.serial} is of another fleet`);
    return front;
  }

  stop(): void {
    for (const front of this.#fronts.values()) front.stop();
    for (const end of this.#ends) end();
  }

  #watchModule(module: IoModule): void {
    module.onChange((register) => {
      const { name, alive } = module;
      const changed = register === undefined ? {} : { register: register.name, value: register.value };
      this.log.tell({ kind: 'module', module: name, alive, ...changed });
    });
  }

  #watchLine(line: RunningLine, clock: Clock): void {
    const names = new Map([...line.terminals].map(([name, terminal]) => [terminal.address, name]));
    for (const [name, terminal] of line.terminals) this.#watchTerminal(name, terminal, line.name, clock);
    this.#ends.push(tellTraffic(line, this.log, clock));
    line.cable.onTurned((plugged) => {
      this.log.tell({ kind: 'plug', line: line.name, plugged });
    });
    line.medium.onPlug((station, plugged) => {
      const terminal = names.get(station.address);
      if (terminal !== undefined) this.log.tell({ kind: 'plug', line: line.name, terminal, plugged });
    });
  }

  #watchTerminal(name: string, terminal: Terminal, line: string, clock: Clock): void {
    const at = { line, terminal: name };
    const front = new Front(terminal, clock, (event) => {
      this.log.tell({ ...event, ...at });
    });
    this.#fronts.set(terminal, front);
    const unwatch = terminal.watch((noticed) => {
      for (const happened of told(noticed, at)) this.log.tell(happened);
    });
    this.#ends.push(unwatch);
  }
}

interface At {
  readonly line: string;
  readonly terminal: string;
}

function told(noticed: Noticed, at: At): Happened[] {
  switch (noticed.kind) {
    case 'logged':
      return toldLog(noticed.record, at);
    case 'power':
      return [{ ...at, ...noticed }];
    case 'dock':
      return [{ ...at, ...noticed }];
    case 'sensors':
      return [{ kind: 'sensors', ...at, ...noticed.sensors }];
    case 'shown':
      return [];
  }
}

function toldLog({ id, kind, origin, user, detail }: ShownLog, at: At): Happened[] {
  const logged: Happened = { kind: 'log', ...at, log: id, what: kind, origin, user, detail };
  if (kind !== 'access.granted' && kind !== 'access.denied') return [logged];
  const credential = detail === 0 ? '' : (fieldName(detail) ?? '');
  return [{ kind: kind === 'access.granted' ? 'identified' : 'denied', ...at, user, credential }, logged];
}
