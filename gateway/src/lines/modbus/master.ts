import modbusSerial from 'modbus-serial';
import { codeOf, describe, REGISTER_KINDS, wireMs, WhorlError } from '@whorl/protocol';
import type { Cancel, RegisterKind } from '@whorl/protocol';
import type { Line } from '../line.ts';
import type { Priority } from '../priority.ts';
import { WirePort } from './wire-port.ts';
import type { ModbusFraming } from './wire-port.ts';

const ModbusRTU = modbusSerial.default;
type Client = InstanceType<typeof ModbusRTU>;

/** Around the values of an answer: unit, function, count, CRC; some more for units that begin late. */
const ANSWER_FRAME_BYTES = 10;

/** A poll that was lost comes again by itself; somebody waits for a write. */
const WRITE_TRIES = 3;

interface Exchange {
  readonly unit: number;
  readonly priority: Priority;
  /** Bytes of values that the answer carries. */
  readonly bytes: number;
}

/** Asks Modbus units over a line, each exchange in a turn of its own. */
export class ModbusMaster {
  readonly #line: Line;
  readonly #framing: ModbusFraming;
  #transaction = 0;

  constructor(line: Line, framing: ModbusFraming) {
    this.#line = line;
    this.#framing = framing;
  }

  /**
   * Reads registers that lie one behind the other.
   * @returns their values: 0 or 1 of bits
   * @throws WhorlError MODBUS_SILENT, MODBUS_EXCEPTION, LINE_CLOSED
   */
  async read(
    unit: number,
    { kind, address, count }: { kind: RegisterKind; address: number; count: number },
    priority: Priority,
  ): Promise<number[]> {
    const bytes = REGISTER_KINDS[kind].bits === 1 ? Math.ceil(count / 8) : 2 * count;
    const values = await this.#exchange({ unit, priority, bytes }, async (client): Promise<unknown[]> => {
      switch (kind) {
        case 'coil':
          return (await client.readCoils(address, count)).data;
        case 'discrete':
          return (await client.readDiscreteInputs(address, count)).data;
        case 'holding':
          return (await client.readHoldingRegisters(address, count)).data;
        case 'input':
          return (await client.readInputRegisters(address, count)).data;
      }
    });
    return values.slice(0, count).map(Number);
  }

  /** Writes a register, again when no answer comes: done twice it has the effect of once. @throws as {@link read} */
  async write(
    unit: number,
    { kind, address, value }: { kind: 'coil' | 'holding'; address: number; value: number },
  ): Promise<void> {
    const ask = (client: Client): Promise<unknown> =>
      kind === 'coil' ? client.writeCoil(address, value !== 0) : client.writeRegister(address, value);
    for (let tries = 1; ; tries += 1)
      try {
        await this.#exchange({ unit, priority: 'command', bytes: 4 }, ask);
        return;
      } catch (error) {
        if (codeOf(error) !== 'MODBUS_SILENT' || tries === WRITE_TRIES) throw error;
      }
  }

  #exchange<T>(exchange: Exchange, ask: (client: Client) => Promise<T>): Promise<T> {
    const { clock, name } = this.#line;
    return this.#line.lend(exchange.priority, async (wire) => {
      let timer: Cancel | undefined;
      const { promise: silence, reject } = Promise.withResolvers<never>();
      const written = (at: number): void => {
        timer = clock.after(at - clock.now() + this.#patienceMs(exchange.bytes), () => {
          reject(new WhorlError('MODBUS_SILENT', `unit ${exchange.unit} on ${name} does not answer`));
        });
      };
      this.#transaction += 1;
      const port = new WirePort(wire, this.#framing, { transaction: this.#transaction, written });
      try {
        return await Promise.race([ask(clientOn(port, exchange.unit)), silence]);
      } catch (error) {
        throw inWords(error, exchange.unit, name);
      } finally {
        timer?.();
      }
    });
  }

  #patienceMs(bytes: number): number {
    const { baud, turnaroundMs, latencyMs } = this.#line.timing;
    const onWire = baud === undefined ? 0 : wireMs(bytes + ANSWER_FRAME_BYTES, baud);
    return onWire + turnaroundMs + latencyMs;
  }
}

function clientOn(port: WirePort, unit: number): Client {
  const client = new ModbusRTU(port);
  client.open();
  client.setID(unit);
  // Time is this line's, not the library's.
  client.setTimeout(0);
  return client;
}

function inWords(error: unknown, unit: number, line: string): WhorlError {
  if (error instanceof WhorlError) return error;
  const text = `unit ${unit} on ${line}: ${describe(error)}`;
  return new WhorlError('MODBUS_EXCEPTION', text, { cause: error });
}
