import { closeSync, constants, openSync, rmSync, symlinkSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { WhorlError } from '@whorl/protocol';
import type { Port } from './port.ts';

/** A pseudo-terminal's master end; the gateway opens the other one as a serial port. */
export interface PtyPort extends Port {
  /** What the gateway opens: the link when one was asked for. */
  readonly path: string;
}

/** Bytes that wait for the gateway to read, at most; more is lost, as in a UART that nobody empties. */
const MOST_WAITING = 64 * 1024;

/** Whether this system has pseudo-terminals. */
export function hasPty(): boolean {
  return process.platform === 'linux' || process.platform === 'darwin';
}

/**
 * Opens a pseudo-terminal of the kernel, raw in both directions. Its far end is held open, so that a gateway may close
 * and open it again.
 * @param options.link a path that stays the same: a link to whatever the kernel calls the far end
 * @throws WhorlError PTY_NONE
 */
export async function openPty(options: { link?: string } = {}): Promise<PtyPort> {
  const { master, name } = await openMaster();
  const slave = openSync(name, constants.O_RDWR | constants.O_NOCTTY);
  await makeRaw(slave);
  if (options.link !== undefined) {
    rmSync(options.link, { force: true });
    symlinkSync(name, options.link);
  }
  return wrap(new ReadStream(master), slave, options.link ?? name, options.link);
}

function wrap(stream: ReadStream, slave: number, path: string, link: string | undefined): PtyPort {
  let closed = false;
  let closedListener: (reason: string) => void = () => undefined;
  stream.on('error', () => undefined);
  stream.on('close', () => {
    if (!closed) closedListener(`the pseudo-terminal ${path} has gone`);
    closed = true;
  });
  return {
    path,
    onBytes(listener) {
      stream.on('data', listener);
    },
    onClosed(listener) {
      closedListener = listener;
    },
    write(bytes) {
      if (!closed && stream.writableLength + bytes.length <= MOST_WAITING) stream.write(bytes);
    },
    close() {
      if (closed) return Promise.resolve();
      closed = true;
      if (link !== undefined) rmSync(link, { force: true });
      closeSync(slave);
      return new Promise((resolve) => {
        stream.once('close', resolve);
        stream.destroy();
      });
    },
  };
}

/** The C library's calls, through an FFI: no system package is needed, and nothing is compiled. */
async function openMaster(): Promise<{ master: number; name: string }> {
  const lib = await libc();
  const master = lib.posix_openpt(constants.O_RDWR | constants.O_NOCTTY);
  if (master < 0 || lib.grantpt(master) !== 0 || lib.unlockpt(master) !== 0) {
    throw new WhorlError('PTY_NONE', 'the kernel gives no pseudo-terminal');
  }
  return { master, name: lib.ptsname(master) };
}

/** Larger than any system's `struct termios`. */
const TERMIOS_BYTES = 256;

async function makeRaw(slave: number): Promise<void> {
  const lib = await libc();
  const termios = new Uint8Array(TERMIOS_BYTES);
  lib.tcgetattr(slave, termios);
  lib.cfmakeraw(termios);
  lib.tcsetattr(slave, 0, termios);
}

interface LibC {
  posix_openpt(flags: number): number;
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname(fd: number): string;
  tcgetattr(fd: number, termios: Uint8Array): number;
  cfmakeraw(termios: Uint8Array): void;
  tcsetattr(fd: number, actions: number, termios: Uint8Array): number;
}

let loaded: LibC | undefined;

async function libc(): Promise<LibC> {
  if (loaded !== undefined) return loaded;
  if (!hasPty()) throw new WhorlError('PTY_NONE', `${process.platform} has no pseudo-terminals`);
  const { default: koffi } = await import('koffi');
  const lib = koffi.load(process.platform === 'darwin' ? 'libSystem.dylib' : 'libc.so.6');
  loaded = {
    posix_openpt: lib.func('int posix_openpt(int flags)'),
    grantpt: lib.func('int grantpt(int fd)'),
    unlockpt: lib.func('int unlockpt(int fd)'),
    ptsname: lib.func('const char *ptsname(int fd)'),
    tcgetattr: lib.func('int tcgetattr(int fd, _Inout_ uint8_t *termios)'),
    cfmakeraw: lib.func('void cfmakeraw(_Inout_ uint8_t *termios)'),
    tcsetattr: lib.func('int tcsetattr(int fd, int actions, _Inout_ uint8_t *termios)'),
  };
  return loaded;
}
