import { crc32 } from 'node:zlib';
import { writeDurably } from './durable.ts';
import type { Files } from './ground.ts';
import { translatedFile } from './sqlite-errors.ts';

/**
 * Lines that are on the disk even when it is full: the file has its whole size from the beginning, as zeros, and is
 * written over. Each line carries a checksum, so that one that a crash cut off is left out when they are read. On file
 * systems that never write in place (btrfs, ZFS) a full disk may refuse it all the same.
 */
export class SpillFile {
  readonly #files: Files;
  readonly #path: string;
  readonly #size: number;
  /** `undefined` once it is closed: the number may be somebody else's file by then. */
  #file: number | undefined;
  #end: number;

  /** Opens the file, or makes it with `size` bytes. @throws WhorlError STORE_* */
  constructor(files: Files, path: string, size: number) {
    this.#files = files;
    this.#path = path;
    this.#size = size;
    const held = translatedFile(() => (files.existsSync(path) ? files.readFileSync(path, 'utf8') : ''));
    this.#end = endOf(held);
    if (held === '' || files.statSync(path).size !== size) this.#end = this.#write(linesIn(held));
    this.#file = translatedFile(() => files.openSync(path, 'r+'));
  }

  /** Those that are whole, oldest first. @throws WhorlError STORE_* */
  lines(): string[] {
    return translatedFile(() => linesIn(this.#files.readFileSync(this.#path, 'utf8')));
  }

  /**
   * Adds lines; they are on the disk afterwards.
   * @returns false when there is no room for them, or the file is closed
   * @throws WhorlError STORE_*
   */
  append(lines: readonly string[]): boolean {
    const file = this.#file;
    const text = lines.map(written).join('');
    const bytes = Buffer.byteLength(text);
    if (file === undefined || this.#end + bytes > this.#size) return false;
    translatedFile(() => {
      this.#files.writeSync(file, text, this.#end);
      this.#files.fsyncSync(file);
    });
    this.#end += bytes;
    return true;
  }

  /** Keeps only these lines; all or nothing, and nothing once it is closed. @throws WhorlError STORE_* */
  replace(lines: readonly string[]): void {
    if (this.#file === undefined) return;
    // Windows renames over no file that is open.
    this.close();
    try {
      this.#end = this.#write(lines);
    } finally {
      this.#file = translatedFile(() => this.#files.openSync(this.#path, 'r+'));
    }
  }

  /** Harmless when repeated. */
  close(): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) this.#files.closeSync(file);
  }

  /** @returns where they end */
  #write(lines: readonly string[]): number {
    const text = lines.map(written).join('');
    const bytes = Buffer.byteLength(text);
    try {
      translatedFile(() => {
        writeDurably(this.#files, this.#path, text.concat('\0'.repeat(Math.max(0, this.#size - bytes))));
      });
    } catch (error) {
      this.#files.rmSync(`${this.#path}.new`, { force: true });
      throw error;
    }
    return bytes;
  }
}

/** Begins on a line of its own, whatever a crash left before it. */
function written(line: string): string {
  return `\n${checksum(line)} ${line}\n`;
}

function checksum(line: string): string {
  return crc32(line).toString(16).padStart(8, '0');
}

function linesIn(text: string): string[] {
  return text.split(/[\n\0]+/).flatMap((found) => {
    const line = found.slice(9);
    return line !== '' && found.startsWith(`${checksum(line)} `) ? [line] : [];
  });
}

/** Where the zeros begin, in bytes. */
function endOf(text: string): number {
  return Buffer.byteLength(text.replace(/\0+$/, ''));
}
