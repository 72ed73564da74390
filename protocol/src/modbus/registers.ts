/*
 * SPEC 12: what stands in a terminal's Modbus registers. Its unit number is its address; addresses count from 0.
 */

/** What kinds of registers there are, by the function that reads them. */
export const REGISTER_KINDS = {
  /** One bit, read and written. */
  coil: { read: 1, write: 5, bits: 1 },
  /** One bit, read. */
  discrete: { read: 2, write: undefined, bits: 1 },
  /** Sixteen bits, read and written. */
  holding: { read: 3, write: 6, bits: 16 },
  /** Sixteen bits, read. */
  input: { read: 4, write: undefined, bits: 16 },
} as const;

export type RegisterKind = keyof typeof REGISTER_KINDS;

export interface RegisterRow {
  readonly kind: RegisterKind;
  /** From 0. */
  readonly address: number;
  readonly unit?: string;
  readonly doc: string;
}

/** A terminal's registers. */
export const REGISTERS = {
  'supply.voltage': {
    kind: 'input',
    address: 0,
    unit: 'mV',
    doc: 'Supply voltage; 0 when there is none.',
  },
  'battery.voltage': { kind: 'input', address: 1, unit: 'mV', doc: 'Battery voltage; 0 without a battery.' },
  'battery.charge': { kind: 'input', address: 2, unit: '%', doc: 'What is left in the battery, 0 to 100.' },
  tamper: { kind: 'discrete', address: 0, doc: 'The housing is open.' },
  door: { kind: 'discrete', address: 1, doc: 'The door is open.' },
  dock: { kind: 'discrete', address: 2, doc: 'It sits in its dock.' },
} as const satisfies Record<string, RegisterRow>;

export type RegisterName = keyof typeof REGISTERS;

export const REGISTER_NAMES = Object.keys(REGISTERS) as RegisterName[];
