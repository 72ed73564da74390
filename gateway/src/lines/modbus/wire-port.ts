import { EventEmitter } from 'node:events';
import { answerLength, crc16 } from '@whorl/protocol';
import type { LentWire } from '../job.ts';

/** How requests and answers stand on a bus: with a CRC and silence around, or behind a header on TCP. */
export type ModbusFraming = 'rtu' | 'tcp';

/** Transaction (2), protocol (2), length (2): Modbus messaging on TCP/IP, 3.1.3. */
const HEADER = 6;
const CRC = 2;

/**
 * A port for modbus-serial on a wire that is lent for one exchange: takes a request as RTU frame, and tells of the whole
 * answer as one, `data`.
 */
export class WirePort extends EventEmitter {
  readonly isOpen = true;
  readonly #wire: LentWire;
  readonly #framing: ModbusFraming;
  readonly #transaction: number;
  #heard: Buffer = Buffer.alloc(0);
  #unit = 0;
  /** When the request will have left, by the line's clock. */
  #written: (at: number) => void;

  /** @param transaction numbers of late answers to others are dropped, on TCP */
  constructor(
    wire: LentWire,
    framing: ModbusFraming,
    { transaction, written }: { transaction: number; written: (at: number) => void },
  ) {
    super();
    this.#wire = wire;
    this.#framing = framing;
    this.#transaction = transaction & 0xffff;
    this.#written = written;
    wire.onBytes((bytes) => {
      this.#hear(bytes);
    });
  }

  open(done: () => void): void {
    done();
  }

  close(done: () => void): void {
    done();
  }

  /** @param frame of a request, its CRC included */
  write(frame: Buffer): void {
    this.#unit = frame[0] ?? 0;
    this.#written(this.#wire.write(this.#framing === 'rtu' ? frame : this.#wrapped(frame)));
  }

  #hear(bytes: Uint8Array): void {
    this.#heard = Buffer.concat([this.#heard, bytes]);
    for (;;) {
      const answer = this.#framing === 'rtu' ? this.#rtuAnswer() : this.#tcpAnswer();
      if (answer === undefined) return;
      if (answer.length > 0) this.emit('data', answer);
    }
  }

  /** What stands before the unit's address on the wire is not its answer. */
  #rtuAnswer(): Buffer | undefined {
    const start = this.#heard.indexOf(this.#unit);
    this.#heard = start < 0 ? Buffer.alloc(0) : this.#heard.subarray(start);
    const length = answerLength(this.#heard);
    if (length === undefined || length > this.#heard.length) return undefined;
    if (length === 0) {
      this.#heard = this.#heard.subarray(1);
      return this.#heard.length === 0 ? undefined : Buffer.alloc(0);
    }
    return this.#take(length);
  }

  #tcpAnswer(): Buffer | undefined {
    if (this.#heard.length < HEADER) return undefined;
    const length = HEADER + this.#heard.readUInt16BE(4);
    if (this.#heard.length < length) return undefined;
    const frame = this.#take(length);
    if (frame.readUInt16BE(0) !== this.#transaction) return Buffer.alloc(0);
    const body = frame.subarray(HEADER);
    const sum = Buffer.alloc(CRC);
    sum.writeUInt16LE(crc16(body));
    return Buffer.concat([body, sum]);
  }

  #take(length: number): Buffer {
    const taken = this.#heard.subarray(0, length);
    this.#heard = this.#heard.subarray(length);
    return taken;
  }

  #wrapped(frame: Buffer): Buffer {
    const body = frame.subarray(0, -CRC);
    const header = Buffer.alloc(HEADER);
    header.writeUInt16BE(this.#transaction, 0);
    header.writeUInt16BE(body.length, 4);
    return Buffer.concat([header, body]);
  }
}
