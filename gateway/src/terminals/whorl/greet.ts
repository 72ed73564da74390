import type { Socket } from 'node:net';
import { decodeMessage, FrameSplitter, fromWire, plainSession, toWire, WhorlError } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';

const PATIENCE_MS = 3_000;
/** A terminal that dials in has the line for itself; it answers to this address whatever else it is set to. */
const GREETED_ADDRESS = 1;

/**
 * Asks who is at the other end of a fresh connection; the session proves it later.
 * @returns its serial number
 * @throws WhorlError EXCHANGE_TIMEOUT, EXCHANGE_UNEXPECTED
 */
export function greetSocket(socket: Socket, clock: Clock, random: Random): Promise<string> {
  const splitter = new FrameSplitter();
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancel();
      socket.off('data', take);
      socket.off('close', gone);
    };
    const cancel = clock.after(PATIENCE_MS, () => {
      end();
      reject(new WhorlError('EXCHANGE_TIMEOUT', `no answer to discover in ${PATIENCE_MS} ms`));
    });
    const gone = (): void => {
      end();
      reject(new WhorlError('EXCHANGE_TIMEOUT', 'it closed the connection before it said who it is'));
    };
    const take = (bytes: Buffer): void => {
      splitter.push(bytes, (stuffed) => {
        const serial = serialIn(stuffed);
        if (serial === undefined) return;
        end();
        // Whoever takes the socket over listens to it anew; nothing may be lost between.
        socket.pause();
        resolve(serial);
      });
    };
    socket.on('data', take);
    socket.on('close', gone);
    const header = {
      address: GREETED_ADDRESS,
      sequence: random.below(0x10000),
      fromTerminal: false,
      attention: false,
    };
    socket.write(toWire(plainSession, header, 'discover', {}));
  });
}

/** The serial number when these bytes say who is there; anything else is noise on a fresh connection. */
function serialIn(stuffed: Uint8Array): string | undefined {
  try {
    const message = decodeMessage(fromWire(plainSession, stuffed).payload);
    return message.name === 'present' ? message.body.serial : undefined;
  } catch {
    return undefined;
  }
}
