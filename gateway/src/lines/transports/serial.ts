import { EventEmitter } from 'node:events';
import { SerialPort } from 'serialport';
import { WhorlError } from '@whorl/protocol';
import type { OpenTransport, Transport } from '../transport.ts';
import { deliverFrames } from './framing.ts';

/** A serial port of this machine, 8N1. */
export function openSerial(options: { path: string; baud: number }): OpenTransport {
  return async (events, signal) => {
    const port = await opened(options, signal);
    const framing = deliverFrames(port, events);
    return transport(port, framing, onGone(port, events.closed));
  };
}

/**
 * Hears what crosses a line at a serial port of this machine; nothing is ever written to it.
 * @returns what ends it
 * @throws WhorlError LINE_OPEN with the reason in words
 */
export async function listenSerial(
  options: { readonly path: string; readonly baud: number },
  events: { readonly bytes: (bytes: Uint8Array) => void; readonly closed: (reason: string) => void },
): Promise<() => void> {
  const port = await opened(options, new AbortController().signal);
  const closing = onGone(port, events.closed);
  port.on('data', events.bytes);
  return () => {
    closing();
    if (port.isOpen) port.close(() => undefined);
  };
}

async function opened(options: { path: string; baud: number }, signal: AbortSignal): Promise<SerialPort> {
  const port = new SerialPort({ path: options.path, baudRate: options.baud, autoOpen: false });
  await open(port, signal);
  return port;
}

/**
 * Calls `tell` once when the port has gone, with the reason in words.
 * @returns to be called before it is closed on purpose: then nothing is told
 */
function onGone(port: SerialPort, tell: (reason: string) => void): () => void {
  let closed = false;
  const gone = (reason: string): void => {
    if (closed) return;
    closed = true;
    tell(reason);
  };
  port.on('close', (error: unknown) => {
    gone(reasonOfClosing(port.path, error));
  });
  port.on('error', (error) => {
    gone(`${port.path} failed: ${error.message}`);
  });
  onHangUp(port, () => {
    gone(`${port.path} has gone: was the adapter unplugged?`);
  });
  return () => {
    closed = true;
  };
}

/**
 * Why a port closed, in words.
 * @param error what the library says: an error, `null`, or nothing at all when the stream itself was torn down
 */
export function reasonOfClosing(path: string, error: unknown): string {
  if (!(error instanceof Error)) return `${path} was closed`;
  return `${path} has gone: was the adapter unplugged? (${error.message})`;
}

/**
 * When a port is pulled while serialport's binding reads it, the kernel answers 0 bytes, which the binding takes for
 * nothing yet and asks again without end. The hang-up itself is known to its poller.
 */
function onHangUp(port: SerialPort, gone: () => void): void {
  const binding: unknown = port.port;
  if (typeof binding !== 'object' || binding === null || !('poller' in binding)) return;
  const { poller } = binding;
  if (!(poller instanceof EventEmitter)) return;
  poller.once('disconnect', (error: unknown) => {
    const canceled =
      typeof error === 'object' && error !== null && 'canceled' in error && error.canceled === true;
    if (!canceled) gone();
  });
}

async function open(port: SerialPort, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error === null) resolve();
      else reject(new WhorlError('LINE_OPEN', inWords(port.path, error.message), { cause: error }));
    });
  });
  if (!signal.aborted) return;
  port.close(() => undefined);
  throw new WhorlError('ABORTED', `${port.path} is no longer wanted`);
}

function transport(
  port: SerialPort,
  framing: ReturnType<typeof deliverFrames>,
  closing: () => void,
): Transport {
  return {
    ...framing,
    write(bytes, written) {
      if (!port.isOpen) return;
      port.write(bytes);
      port.drain((error) => {
        if (error === null) written();
      });
    },
    close() {
      closing();
      if (port.isOpen) port.close(() => undefined);
    },
  };
}

/** What the operating system says about a port, for someone who can fix it. */
function inWords(path: string, message: string): string {
  if (/no such file|file not found|cannot find/i.test(message))
    return `${path} is not there: is the adapter plugged in? \`whorl ports\` lists what is`;
  if (/permission denied|access denied/i.test(message))
    return `${path} may not be opened by this user: add it to the group that owns the port (often dialout)`;
  if (/lock|busy|resource temporarily unavailable/i.test(message))
    return `${path} is in use by another program`;
  return `${path} could not be opened: ${message}`;
}
