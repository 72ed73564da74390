import { WhorlError } from '@whorl/protocol';

/**
 * A terminal's persistent memory: one run of bytes that grows at its end and can be replaced as a whole. Arrays handed
 * over are the flash's to keep: their bytes must not change afterwards.
 */
export interface Flash {
  /** Everything stored, empty when new. */
  read(): Uint8Array;
  /**
   * Writes behind what is stored. When it throws, any number of these bytes may have been written.
   * @param durable it survives a power cut once this returns; else once a later durable write does
   * @throws WhorlError FLASH_FAILED; {@link PowerCut}
   */
  append(parts: readonly Uint8Array[], durable: boolean): void;
  /** Puts new contents in place of everything stored: wholly, or, when it throws, not at all. */
  replace(parts: readonly Uint8Array[]): void;
  /** Gives back what it holds of the machine; a later call takes it up again. */
  close(): void;
}

/** The supply went away while flash was being written: the terminal is off from this moment. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** Flash in memory, with a power cut at any chosen byte. */
export class MemoryFlash implements Flash {
  #parts: Uint8Array[];
  #left = Number.POSITIVE_INFINITY;

  /** @param contents what an earlier one held: see {@link MemoryFlash.read} */
  constructor(contents: Uint8Array = new Uint8Array(0)) {
    this.#parts = [contents];
  }

  /** Cuts the power once `bytes` more bytes have been written. */
  cutAfter(bytes: number): void {
    this.#left = bytes;
  }

  read(): Uint8Array {
    const whole = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const contents = whole ?? new Uint8Array(0);
    this.#parts = [contents];
    return contents;
  }

  append(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (part.length > this.#left) {
        this.#parts.push(part.subarray(0, this.#left));
        this.#cut();
      }
      this.#left -= part.length;
      this.#parts.push(part);
    }
  }

  replace(parts: readonly Uint8Array[]): void {
    const size = sizeOf(parts);
    if (size > this.#left) this.#cut();
    this.#left -= size;
    this.#parts = [...parts];
  }

  close(): void {}

  #cut(): never {
    this.#left = Number.POSITIVE_INFINITY;
    throw new PowerCut('the power was cut while flash was being written');
  }
}

/** What stands between a terminal and its flash: lets a test wear it out, or cut the power while it is written. */
export class FlashGate implements Flash {
  readonly #flash: Flash;
  #left = Number.POSITIVE_INFINITY;
  #cut: (() => void) | undefined;
  /** Nothing more can be written. */
  fails = false;

  constructor(flash: Flash) {
    this.#flash = flash;
  }

  /** Cuts the power once `bytes` more bytes have been written, and then calls `cut`. */
  cutAfter(bytes: number, cut: () => void): void {
    this.#left = bytes;
    this.#cut = cut;
  }

  read(): Uint8Array {
    return this.#flash.read();
  }

  append(parts: readonly Uint8Array[], durable: boolean): void {
    this.#check();
    const whole = sizeOf(parts);
    if (whole > this.#left) {
      this.#flash.append([Buffer.concat(parts).subarray(0, this.#left)], durable);
      this.#powerCut();
    }
    this.#left -= whole;
    this.#flash.append(parts, durable);
  }

  replace(parts: readonly Uint8Array[]): void {
    this.#check();
    if (sizeOf(parts) > this.#left) this.#powerCut();
    this.#left -= sizeOf(parts);
    this.#flash.replace(parts);
  }

  close(): void {
    this.#flash.close();
  }

  #check(): void {
    if (this.fails) throw new WhorlError('FLASH_FAILED', 'the flash is worn out');
  }

  #powerCut(): never {
    this.#left = Number.POSITIVE_INFINITY;
    this.#cut?.();
    throw new PowerCut('the power was cut while flash was being written');
  }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
