import type { Clock, Random } from '@whorl/protocol';
import { cable } from '../bus/cable.ts';
import type { Cable } from '../bus/cable.ts';
import { Medium } from '../bus/medium.ts';
import { ptyCable } from '../bus/pty-cable.ts';
import type { Terminal } from '../firmware/terminal.ts';
import { RtuEar } from '../modbus/rtu.ts';
import { serveModbus } from '../modbus/tcp.ts';
import type { ModbusUnit } from '../modbus/unit.ts';
import { IoModule, terminalUnit } from '../modbus/units.ts';
import type { FleetModbus, FleetModule } from './schema.ts';

const TURNAROUND_MS = 2;

/** Puts units on a wire, beside whatever else is on it. */
export function joinUnits(medium: Medium, units: readonly ModbusUnit[]): void {
  if (units.length === 0) return;
  const ear = new RtuEar();
  medium.join({ hear: (bytes, afterSilence) => ear.hear(bytes, afterSilence, units) });
}

export function makeModules(modules: readonly FleetModule[]): IoModule[] {
  return modules.map((one) => new IoModule(one));
}

/** A bus that only Modbus is spoken on. */
export interface ModbusBus {
  readonly name: string;
  readonly cable: Cable;
  readonly modules: readonly IoModule[];
}

export function makeBus(
  bus: FleetModbus,
  parts: { readonly clock: Clock; readonly random: Random; readonly terminal: (name: string) => Terminal },
): ModbusBus {
  const modules = makeModules(bus.modules);
  const units = [...bus.terminals.map((name) => terminalUnit(parts.terminal(name))), ...modules];
  return { name: bus.name, modules, cable: cableOf(bus, units, parts) };
}

function cableOf(
  { pty, listen, baud }: FleetModbus,
  units: readonly ModbusUnit[],
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Cable {
  if (pty !== undefined) {
    const medium = new Medium({ clock, random, baud, turnaroundMs: TURNAROUND_MS });
    joinUnits(medium, units);
    return ptyCable(medium, { ...pty, clock });
  }
  const place = listen ?? { host: '127.0.0.1', port: 0 };
  let server: Awaited<ReturnType<typeof serveModbus>> | undefined;
  return cable(() => `Modbus TCP on ${place.host} port ${server?.port ?? place.port}`, {
    async plug() {
      server = await serveModbus(units, place);
    },
    async unplug() {
      await server?.close();
      server = undefined;
    },
  });
}
