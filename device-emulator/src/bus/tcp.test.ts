import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { seededRandom, systemClock } from '@whorl/protocol';
import { afterEach, expect, test, vi } from 'vitest';
import { Medium } from './medium.ts';
import { diallingCable, listeningCable } from './tcp.ts';
import type { Cable } from './cable.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

const REQUEST = Uint8Array.of(4, 0x40, 1, 1, 1, 0);
const ANSWER = Uint8Array.of(4, 0x50, 1, 1, 1, 0);

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

function answering(): Medium {
  const medium = new Medium({ clock: systemClock, random: seededRandom(1), turnaroundMs: 0 });
  medium.add({
    address: 1,
    workMs: 0,
    hear: () => [ANSWER],
    hearCall: () => undefined,
    hand: () => undefined,
    onSilent: () => undefined,
    onNews: () => undefined,
  });
  return medium;
}

async function plugged<C extends Cable>(cable: C): Promise<C> {
  open.push(() => cable.unplug());
  await cable.plug();
  return cable;
}

function dialled(port: number): { socket: Socket; heard: () => string; closed: () => boolean } {
  const socket = connect({ host: '127.0.0.1', port });
  open.push(() => socket.destroy());
  let heard = '';
  let closed = false;
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => (heard += bytes.toString('hex')));
  socket.on('close', () => (closed = true));
  return { socket, heard: () => heard, closed: () => closed };
}

const hex = Buffer.from(ANSWER).toString('hex');

test('E1 G1 a gateway dials the line; a newer connection replaces the older one', async () => {
  const cable = await plugged(listeningCable(answering(), { host: '127.0.0.1', port: 0 }));
  const first = dialled(cable.port());
  first.socket.write(REQUEST);
  await vi.waitFor(() => expect(first.heard()).toBe(hex), PATIENCE);
  const second = dialled(cable.port());
  await vi.waitFor(() => expect(first.closed()).toBe(true), PATIENCE);
  second.socket.write(REQUEST);
  await vi.waitFor(() => expect(second.heard()).toBe(hex), PATIENCE);
});

test('E4 G2 a pulled cable ends the connection and takes none; plugged again it is at the same port', async () => {
  const cable = await plugged(listeningCable(answering(), { host: '127.0.0.1', port: 0 }));
  const port = cable.port();
  const first = dialled(port);
  await vi.waitFor(() => expect(first.socket.readyState).toBe('open'), PATIENCE);
  await cable.unplug();
  await cable.unplug();
  await vi.waitFor(() => expect(first.closed()).toBe(true), PATIENCE);
  const refused = dialled(port);
  await vi.waitFor(() => expect(refused.closed()).toBe(true), PATIENCE);
  await Promise.all([cable.plug(), cable.unplug(), cable.plug()]);
  const again = dialled(port);
  again.socket.write(REQUEST);
  await vi.waitFor(() => expect(again.heard()).toBe(hex), PATIENCE);
});

test('E1 a port that is taken is an error that names it', async () => {
  const cable = await plugged(listeningCable(answering(), { host: '127.0.0.1', port: 0 }));
  const second = listeningCable(answering(), { host: '127.0.0.1', port: cable.port() });
  await expect(second.plug()).rejects.toMatchObject({
    code: 'EMULATOR_LISTEN',
    message: expect.stringContaining(String(cable.port())) as string,
  });
});

test('E1 G1 a terminal dials the gateway, and again when the connection ends, until it is unplugged', async () => {
  const sockets: Socket[] = [];
  const heard: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => heard.push(bytes.toString('hex')));
    socket.write(REQUEST);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => server.close());
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const cable = await plugged(diallingCable(answering(), { host: '127.0.0.1', port, clock: systemClock }));
  await vi.waitFor(() => expect(heard).toEqual([hex]), PATIENCE);
  sockets[0]?.destroy();
  await vi.waitFor(() => expect(heard).toEqual([hex, hex]), { timeout: 5_000 });
  await cable.unplug();
  await vi.waitFor(() => expect(sockets[1]?.destroyed).toBe(true), PATIENCE);
  expect(sockets).toHaveLength(2);
});
