import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { describe, WhorlError } from '@whorl/protocol';
import { answerUnit } from './unit.ts';
import type { ModbusUnit } from './unit.ts';

/** Transaction (2), protocol (2), length (2), unit (1): Modbus messaging on TCP/IP, 3.1.3. */
const HEADER = 7;
const MOST_LENGTH = 254;

/**
 * Serves units over Modbus TCP.
 * @param place.port 0 for any free one
 * @throws WhorlError EMULATOR_LISTEN
 */
export async function serveModbus(
  units: readonly ModbusUnit[],
  place: { readonly host: string; readonly port: number },
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket, units);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new WhorlError('EMULATOR_LISTEN', `${place.host} port ${place.port}: ${describe(cause)}`, { cause }),
      );
    });
    server.listen(place.port, place.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : place.port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function serve(socket: Socket, units: readonly ModbusUnit[]): void {
  let waiting = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes]);
    while (waiting.length >= HEADER) {
      const length = waiting.readUInt16BE(4);
      // Whoever speaks something else is not understood any more: there is no way to find the next beginning.
      if (waiting.readUInt16BE(2) !== 0 || length < 2 || length > MOST_LENGTH) {
        socket.destroy();
        return;
      }
      if (waiting.length < 6 + length) return;
      const request = waiting.subarray(0, 6 + length);
      waiting = waiting.subarray(6 + length);
      const unit = units.find((one) => one.unit === request[6] && one.alive);
      if (unit !== undefined) socket.write(answered(request, answerUnit(unit, request.subarray(HEADER))));
    }
  });
}

function answered(request: Buffer, pdu: Uint8Array): Uint8Array {
  const answer = Buffer.concat([request.subarray(0, HEADER), pdu]);
  answer.writeUInt16BE(pdu.length + 1, 4);
  return answer;
}
