import { closeSync, lstatSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { ReadStream } from 'node:tty';
import { describe, systemClock, WhorlError } from '@whorl/protocol';
import type { Cancel, Clock } from '@whorl/protocol';
import { makeFolder } from '../files/folder.ts';
import type { Port } from './port.ts';
import { openPtyEnds } from './pty-kernel.ts';
import type { PtyEnds } from './pty-kernel.ts';

export { hasPty } from './pty-kernel.ts';

/** A pseudo-terminal's master end; the gateway opens the other one as a serial port. */
export interface PtyPort extends Port {
  /** What the gateway opens: the link when one was asked for. */
  readonly path: string;
}

export interface PtyOptions {
  /** A path that stays the same: a link to whatever the kernel calls the far end. Its folder is made when missing. */
  readonly link?: string | undefined;
  /** Paces the writer while the kernel has no room. */
  readonly clock?: Clock | undefined;
}

/**
 * Opens a pseudo-terminal of the kernel, raw in both directions. Its far end is held open, so that a gateway may close
 * and open it again. What is written while the gateway does not read waits: some 20 KiB in the kernel and 2 MiB here.
 * A write that does not fit any more is lost whole, as in a UART that nobody empties.
 * @throws WhorlError PTY_NONE, PTY_LINK
 */
export async function openPty(options: PtyOptions = {}): Promise<PtyPort> {
  const ends = await openPtyEnds();
  try {
    if (options.link !== undefined) makeLink(options.link, ends.name);
  } catch (error) {
    closeSync(ends.master);
    closeSync(ends.slave);
    throw error;
  }
  return new KernelPty(ends, options);
}

const MOST_WAITING_BYTES = 2 * 1024 * 1024;
/** Some 20 KiB go at a time, so that a gateway that reads gets several MB a second. */
const FIRST_RETRY_MS = 1;
/** A gateway that does not read costs next to nothing. */
const LAST_RETRY_MS = 64;

class KernelPty implements PtyPort {
  readonly path: string;
  readonly #ends: PtyEnds;
  readonly #link: string | undefined;
  readonly #clock: Clock;
  /** Reads only: for writing, libuv takes a master end as blocking, and would stop the whole process. */
  readonly #reader: ReadStream;
  #closed: (reason: string) => void = () => undefined;
  #closing: Promise<void> | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: Cancel | undefined;

  constructor(ends: PtyEnds, { link, clock = systemClock }: PtyOptions) {
    this.path = link ?? ends.name;
    this.#ends = ends;
    this.#link = link;
    this.#clock = clock;
    this.#reader = new ReadStream(ends.master);
    this.#reader.on('error', (error) => {
      this.#lost(describe(error));
    });
    this.#reader.on('close', () => {
      this.#lost('closed by the system');
    });
  }

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#reader.on('data', listener);
  }

  onClosed(listener: (reason: string) => void): void {
    this.#closed = listener;
  }

  write(bytes: Uint8Array): void {
    if (this.#reader.destroyed || this.#waitingBytes + bytes.length > MOST_WAITING_BYTES) return;
    this.#waiting.push(bytes.slice());
    this.#waitingBytes += bytes.length;
    if (this.#cancelRetry === undefined) this.#handOver();
  }

  close(): Promise<void> {
    this.#closing ??= this.#shut();
    return this.#closing;
  }

  /** Gives the kernel as much as it has room for, and comes back for the rest. */
  #handOver(): void {
    this.#cancelRetry = undefined;
    try {
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        const taken = writeSync(this.#ends.master, next);
        this.#retryMs = FIRST_RETRY_MS;
        this.#waitingBytes -= taken;
        if (taken < next.length) this.#waiting[0] = next.subarray(taken);
        else this.#waiting.shift();
      }
    } catch (error) {
      if (!isFull(error)) {
        this.#lost(describe(error));
        return;
      }
      this.#cancelRetry = this.#clock.after(this.#retryMs, () => this.#handOver());
      this.#retryMs = Math.min(2 * this.#retryMs, LAST_RETRY_MS);
    }
  }

  #lost(reason: string): void {
    if (this.#closing !== undefined) return;
    void this.close();
    this.#closed(`the pseudo-terminal ${this.path} has gone: ${reason}`);
  }

  #shut(): Promise<void> {
    this.#cancelRetry?.();
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (this.#link !== undefined) removeLink(this.#link, this.#ends.name);
    closeSync(this.#ends.slave);
    return new Promise((resolve) => {
      if (this.#reader.closed) resolve();
      else this.#reader.once('close', resolve).destroy();
    });
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN';
}

/** Replaces a link in one step, so that a gateway which looks meanwhile finds one; never replaces anything else. */
function makeLink(link: string, target: string): void {
  try {
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() === false) {
      throw new Error('there is something else of this name');
    }
    makeFolder(dirname(link));
    rmSync(`${link}.new`, { force: true });
    symlinkSync(target, `${link}.new`);
    renameSync(`${link}.new`, link);
  } catch (cause) {
    throw new WhorlError('PTY_LINK', `${link}: ${describe(cause)}`, { cause });
  }
}

/** Leaves a link alone that leads elsewhere by now: a later pseudo-terminal took it over. */
function removeLink(link: string, target: string): void {
  try {
    if (readlinkSync(link) === target) rmSync(link);
  } catch {
    return;
  }
}
