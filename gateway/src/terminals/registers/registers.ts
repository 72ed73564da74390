import { REGISTER_NAMES, REGISTERS, WhorlError } from '@whorl/protocol';
import type { RegisterKind, RegisterRow } from '@whorl/protocol';
import type { RegisterConfig } from '../../settings/modbus.ts';

/** A register as somebody sees it. */
export interface RegisterStatus {
  readonly name: string;
  readonly kind: RegisterKind;
  readonly address: number;
  /** Scaled; 0 or 1 of bits; absent before it was read. */
  readonly value?: number;
  /** Of the value. */
  readonly unit?: string;
  readonly writable: boolean;
}

/** What answers Modbus on a bus: a terminal, or a module. */
export interface UnitStatus {
  readonly name: string;
  readonly bus: string;
  readonly unit: number;
  readonly terminal: boolean;
  readonly state: 'waiting' | 'answering' | 'silent';
  /** Why it is silent. */
  readonly reason?: string;
  /** When it was read last, milliseconds UTC. */
  readonly readAt?: number;
  readonly registers: readonly RegisterStatus[];
}

/** A unit that is polled. */
export interface UnitPlan {
  readonly name: string;
  readonly unit: number;
  readonly terminal: boolean;
  readonly registers: readonly RegisterConfig[];
}

/** The registers that every terminal has. */
export const TERMINAL_REGISTERS: readonly RegisterConfig[] = REGISTER_NAMES.map((name) => {
  const { kind, address, unit }: RegisterRow = REGISTERS[name];
  return { name, kind, address, scale: 1, unit, write: false };
});

/** A register of a unit by its name. @throws WhorlError REGISTER_UNKNOWN */
export function registerOf(unit: UnitPlan, name: string): RegisterConfig {
  const found = unit.registers.find((one) => one.name === name);
  if (found !== undefined) return found;
  const known = unit.registers.map((one) => one.name).join(', ');
  throw new WhorlError('REGISTER_UNKNOWN', `${unit.name} has no register ${name}; it has ${known}`);
}

/**
 * What is written for a value that somebody gave.
 * @throws WhorlError REGISTER_READONLY, REQUEST_INVALID
 */
export function rawOf(unit: UnitPlan, register: RegisterConfig, value: number): number {
  if (!register.write)
    throw new WhorlError('REGISTER_READONLY', `${register.name} of ${unit.name} can only be read`);
  if (register.kind === 'coil') {
    if (value === 0 || value === 1) return value;
    throw new WhorlError('REQUEST_INVALID', `${register.name} of ${unit.name} is 0 or 1`);
  }
  const raw = Math.round(value / register.scale);
  if (raw >= 0 && raw <= 0xffff) return raw;
  throw new WhorlError('REQUEST_INVALID', `${register.name} of ${unit.name} does not hold ${value}`);
}
