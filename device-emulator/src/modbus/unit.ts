import {
  codeOf,
  exceptionAnswer,
  ModbusException,
  readAnswer,
  readRequest,
  writeAnswer,
} from '@whorl/protocol';
import type { RegisterKind } from '@whorl/protocol';

/** What answers Modbus: a terminal, or a module with contacts and relays. */
export interface ModbusUnit {
  /** 1 to 247. */
  readonly unit: number;
  /** @returns `undefined` where there is no register, or while it has no power: then it says nothing at all */
  read(kind: RegisterKind, address: number): number | undefined;
  /** @returns whether it could be */
  write(kind: 'coil' | 'holding', address: number, value: number): boolean;
  /** Whether it answers at all. */
  readonly alive: boolean;
}

/** Carries out a request. @param pdu function and data; @returns the same of the answer */
export function answerUnit(unit: ModbusUnit, pdu: Uint8Array): Uint8Array {
  try {
    const request = readRequest(pdu);
    if (request.do === 'read') {
      const addresses = Array.from({ length: request.count }, (_, i) => request.address + i);
      return readAnswer(
        request.kind,
        addresses.map((address) => valueOf(unit, request.kind, address)),
      );
    }
    // All of them, or none.
    for (const [i] of request.values.entries()) valueOf(unit, request.kind, request.address + i);
    for (const [i, value] of request.values.entries())
      if (!unit.write(request.kind, request.address + i, value)) throw new ModbusException('failure');
    return writeAnswer(pdu);
  } catch (error) {
    if (codeOf(error) === undefined || !(error instanceof ModbusException)) throw error;
    return exceptionAnswer(pdu[0] ?? 0, error.reason);
  }
}

function valueOf(unit: ModbusUnit, kind: RegisterKind, address: number): number {
  const value = unit.read(kind, address);
  if (value === undefined) throw new ModbusException('address');
  return value;
}
