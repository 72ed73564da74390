import { openRtu, requestLength, rtuFrame } from '@whorl/protocol';
import { answerUnit } from './unit.ts';
import type { ModbusUnit } from './unit.ts';

const LONGEST_FRAME = 256;
const BROADCAST = 0;

/** The ears of Modbus units on a wire: frames are what stands between silences. */
export class RtuEar {
  #heard: Uint8Array = new Uint8Array(0);

  /**
   * Takes bytes that the gateway said.
   * @param afterSilence nobody had spoken for 3.5 characters before them
   * @returns what the unit that was asked answers, as it goes over the wire
   */
  hear(bytes: Uint8Array, afterSilence: boolean, units: Iterable<ModbusUnit>): Uint8Array | undefined {
    if (afterSilence) this.#heard = bytes;
    else if (this.#heard.length + bytes.length <= LONGEST_FRAME)
      this.#heard = Buffer.concat([this.#heard, bytes]);
    else return undefined;
    if (requestLength(this.#heard) !== this.#heard.length) return undefined;
    const frame = openRtu(this.#heard);
    if (frame === undefined) return undefined;
    for (const unit of units) {
      if (!unit.alive) continue;
      if (frame.unit === BROADCAST) answerUnit(unit, frame.pdu);
      else if (unit.unit === frame.unit) return rtuFrame(unit.unit, answerUnit(unit, frame.pdu));
    }
    return undefined;
  }
}
