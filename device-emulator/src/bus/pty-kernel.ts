import { closeSync, constants, existsSync, openSync } from 'node:fs';
import { describe, WhorlError } from '@whorl/protocol';

/** Both ends of a pseudo-terminal, as file descriptors that the caller closes. */
export interface PtyEnds {
  /** Never blocks: reads and writes that cannot be served at once fail with EAGAIN. */
  readonly master: number;
  readonly slave: number;
  /** What the kernel calls the slave end. */
  readonly name: string;
}

const MULTIPLEXER = '/dev/ptmx';

/** Whether this system has pseudo-terminals: Linux and macOS do. */
export function hasPty(): boolean {
  return (process.platform === 'linux' || process.platform === 'darwin') && existsSync(MULTIPLEXER);
}

/**
 * Asks the kernel for a pseudo-terminal that changes and echoes nothing.
 * @throws WhorlError PTY_NONE
 */
export async function openPtyEnds(): Promise<PtyEnds> {
  if (!hasPty()) throw new WhorlError('PTY_NONE', `${process.platform} has no pseudo-terminals here`);
  const lib = await libc();
  const open: number[] = [];
  try {
    // What posix_openpt opens. Opened this way it does not block, and no program started later inherits it: a copy
    // held there would keep the line alive after this end was pulled.
    const master = openSync(MULTIPLEXER, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
    open.push(master);
    if (lib.grantpt(master) !== 0) throw new Error('grantpt failed');
    if (lib.unlockpt(master) !== 0) throw new Error('unlockpt failed');
    const name = lib.ptsname(master);
    if (name === null) throw new Error('ptsname failed');
    const slave = openSync(name, constants.O_RDWR | constants.O_NOCTTY);
    open.push(slave);
    makeRaw(lib, slave);
    return { master, slave, name };
  } catch (cause) {
    open.forEach(closeSync);
    throw new WhorlError('PTY_NONE', `the kernel gives no pseudo-terminal: ${describe(cause)}`, { cause });
  }
}

/** Larger than any system's `struct termios`. */
const TERMIOS_BYTES = 256;
/** The change takes effect at once; the number is the same on Linux and macOS. */
const TCSANOW = 0;

function makeRaw(lib: LibC, slave: number): void {
  const termios = new Uint8Array(TERMIOS_BYTES);
  if (lib.tcgetattr(slave, termios) !== 0) throw new Error('tcgetattr failed');
  lib.cfmakeraw(termios);
  if (lib.tcsetattr(slave, TCSANOW, termios) !== 0) throw new Error('tcsetattr failed');
}

interface LibC {
  grantpt(fd: number): number;
  unlockpt(fd: number): number;
  ptsname(fd: number): string | null;
  tcgetattr(fd: number, termios: Uint8Array): number;
  cfmakeraw(termios: Uint8Array): void;
  tcsetattr(fd: number, actions: number, termios: Uint8Array): number;
}

let loaded: LibC | undefined;

/** The C library that this process runs on, through an FFI: no system package is needed, and nothing is compiled. */
async function libc(): Promise<LibC> {
  if (loaded !== undefined) return loaded;
  try {
    const { default: koffi } = await import('koffi');
    const lib = koffi.load(null);
    loaded = {
      grantpt: lib.func('int grantpt(int fd)'),
      unlockpt: lib.func('int unlockpt(int fd)'),
      ptsname: lib.func('const char *ptsname(int fd)'),
      tcgetattr: lib.func('int tcgetattr(int fd, _Inout_ uint8_t *termios)'),
      cfmakeraw: lib.func('void cfmakeraw(_Inout_ uint8_t *termios)'),
      tcsetattr: lib.func('int tcsetattr(int fd, int actions, _Inout_ uint8_t *termios)'),
    };
    return loaded;
  } catch (cause) {
    throw new WhorlError('PTY_NONE', `koffi could not be loaded: ${describe(cause)}`, { cause });
  }
}
