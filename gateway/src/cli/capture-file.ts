import { closeSync, openSync, writeSync } from 'node:fs';
import { captureHead, packetBlock, reasonOf, WhorlError } from '@whorl/protocol';
import type { CapturedLine, Crossed } from '@whorl/protocol';

/** A capture of one line that grows packet by packet: however it ends, what was written can be read. */
export class CaptureFile {
  readonly #path: string;
  readonly #file: number;

  /** Begins a file anew, for its owner alone. @throws WhorlError FILE_WRITE */
  constructor(path: string, line: CapturedLine) {
    this.#path = path;
    this.#file = this.#guarded(() => openSync(path, 'w', 0o600));
    this.#append(captureHead([line]));
  }

  /** @throws WhorlError FILE_WRITE */
  packet(packet: Crossed): void {
    this.#append(packetBlock(0, packet));
  }

  close(): void {
    closeSync(this.#file);
  }

  #append(bytes: Uint8Array): void {
    this.#guarded(() => writeSync(this.#file, bytes));
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new WhorlError('FILE_WRITE', `${this.#path}: ${reasonOf(cause)}`, { cause });
    }
  }
}
