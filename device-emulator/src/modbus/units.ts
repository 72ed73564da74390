import { REGISTERS } from '@whorl/protocol';
import type { RegisterKind, RegisterName, RegisterRow } from '@whorl/protocol';
import type { Sensors } from '../firmware/sensors.ts';
import type { Terminal } from '../firmware/terminal.ts';
import type { ModbusUnit } from './unit.ts';

const WORD = 0xffff;

const VALUES: Readonly<Record<RegisterName, (sensors: Sensors) => number>> = {
  'supply.voltage': ({ supplyMv }) => Math.min(WORD, supplyMv),
  'battery.voltage': ({ batteryMv }) => Math.min(WORD, batteryMv),
  'battery.charge': ({ batteryPercent }) => batteryPercent,
  tamper: ({ tamper }) => Number(tamper),
  door: ({ door }) => Number(door),
  dock: ({ docked }) => Number(docked),
};

/** A terminal's registers: SPEC 12. */
export function terminalUnit(terminal: Terminal): ModbusUnit {
  const names = Object.keys(REGISTERS) as RegisterName[];
  return {
    unit: terminal.address,
    get alive() {
      return terminal.power === 'on';
    },
    read(kind, address) {
      const name = names.find((one) => {
        const row: RegisterRow = REGISTERS[one];
        return row.kind === kind && row.address === address;
      });
      return name === undefined ? undefined : VALUES[name](terminal.sensors);
    },
    write: () => false,
  };
}

/** A register of a module, as it stands. */
export interface ModuleRegister {
  readonly name: string;
  readonly kind: RegisterKind;
  readonly address: number;
  value: number;
}

/** A module with contacts and relays, as installers buy them. */
export class IoModule implements ModbusUnit {
  readonly name: string;
  readonly unit: number;
  readonly registers: readonly ModuleRegister[];
  #alive = true;
  #told: (register?: ModuleRegister) => void = () => undefined;

  constructor({ name, unit, registers }: Pick<IoModule, 'name' | 'unit' | 'registers'>) {
    this.name = name;
    this.unit = unit;
    this.registers = registers.map((register) => this.#watched(register));
  }

  get alive(): boolean {
    return this.#alive;
  }

  set alive(alive: boolean) {
    if (alive === this.#alive) return;
    this.#alive = alive;
    this.#told();
  }

  /** @param told of each register that gets another value, whoever set it, and without one when the power is switched */
  onChange(told: (register?: ModuleRegister) => void): void {
    this.#told = told;
  }

  read(kind: RegisterKind, address: number): number | undefined {
    return this.#at(kind, address)?.value;
  }

  write(kind: 'coil' | 'holding', address: number, value: number): boolean {
    const register = this.#at(kind, address);
    if (register === undefined) return false;
    register.value = value;
    return true;
  }

  #at(kind: RegisterKind, address: number): ModuleRegister | undefined {
    return this.registers.find((one) => one.kind === kind && one.address === address);
  }

  #watched({ value: first, ...register }: ModuleRegister): ModuleRegister {
    let value = first;
    const tell = (): void => {
      this.#told(watched);
    };
    const watched: ModuleRegister = {
      ...register,
      get value() {
        return value;
      },
      set value(next) {
        if (next === value) return;
        value = next;
        tell();
      },
    };
    return watched;
  }
}
