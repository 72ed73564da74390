import { connect } from 'node:net';
import { systemClock } from '@whorl/protocol';
import { onTestFinished } from 'vitest';

/** Connections of somebody who says nothing; each is opened again a moment after it was closed. */
export interface Siege {
  /** How many are open. */
  readonly open: number;
  /** How many were opened in all. */
  readonly opened: number;
}

const AGAIN_MS = 100;

/**
 * Fills a port with silent connections until the test ends.
 * @param from the address that they come from
 * @returns when all of them have been open once
 */
export async function besiege(
  port: number,
  { connections, from = '127.0.0.1' }: { readonly connections: number; readonly from?: string },
): Promise<Siege> {
  const [sockets, siege] = [new Set<ReturnType<typeof connect>>(), { opened: 0 }];
  let over = false;
  const dial = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from });
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('connect', () => {
        siege.opened += 1;
        resolve();
      });
      socket.on('close', () => {
        sockets.delete(socket);
        resolve();
        systemClock.after(AGAIN_MS, () => over || void dial());
      });
      socket.resume();
    });
  onTestFinished(() => {
    over = true;
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(Array.from({ length: connections }, dial));
  return {
    get open() {
      return sockets.size;
    },
    get opened() {
      return siege.opened;
    },
  };
}
