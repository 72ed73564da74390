import { randomUUID } from 'node:crypto';
import { createServer, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { describe } from '@whorl/protocol';
import { z } from 'zod';

/** Where the person at the console is asked. */
export const consolePlace = z.object({ port: z.int(), token: z.string() });
export type ConsolePlace = z.infer<typeof consolePlace>;

const question = z.object({ token: z.string(), ask: z.string() });
const answer = z.object({ said: z.string().optional() });

/** Asks somebody. @returns what they typed; `undefined` when nobody is there any more */
export type Ask = (what: string) => Promise<string | undefined>;

/**
 * Lets rigs of other processes ask at this one's console, one question after the other.
 * @returns where, and what ends it
 */
export async function serveConsole(ask: Ask): Promise<{ place: ConsolePlace; close: () => void }> {
  const token = randomUUID();
  let last: Promise<unknown> = Promise.resolve();
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).once('line', (line) => {
      const asked = question.safeParse(json(line));
      if (!asked.success || asked.data.token !== token) {
        socket.destroy();
        return;
      }
      last = last.then(async () => {
        const said = await ask(asked.data.ask);
        socket.end(`${JSON.stringify({ said })}\n`);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { place: { port, token }, close: () => server.close() };
}

/** @throws Error when nobody is at the console */
export async function askAt(place: ConsolePlace | undefined, ask: string): Promise<string> {
  const said = place === undefined ? undefined : await asked(place, ask);
  if (said === undefined) throw new Error(`nobody is at the console to be asked: ${ask}`);
  return said;
}

function asked({ port, token }: ConsolePlace, ask: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.write(`${JSON.stringify({ token, ask })}\n`);
    });
    socket.on('error', (error) => {
      reject(new Error(`the console is gone: ${describe(error)}`));
    });
    const lines = createInterface({ input: socket });
    lines.once('line', (line) => {
      const told = answer.safeParse(json(line));
      resolve(told.data?.said);
    });
    lines.once('close', () => {
      resolve(undefined);
    });
  });
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
