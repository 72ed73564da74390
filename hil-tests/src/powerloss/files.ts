import { constants } from 'node:fs';
import { posix } from 'node:path';
import type { Files } from '@whorl/gateway';
import { Directory, FileError } from './disk.ts';
import type { SimulatedDisk } from './disk.ts';
import { SimulatedFile } from './file.ts';

const dirname = (path: string): string => posix.dirname(path);
const basename = (path: string): string => posix.basename(path);
const MODE = 0o600;

interface Open {
  readonly path: string;
  readonly node: SimulatedFile | Directory;
  /** Whether this opening made it. */
  readonly made: boolean;
}

/** A simulated disk as one process has it: node:fs' calls, as far as the gateway's store and SQLite use them. */
export class SimulatedFiles implements Files {
  readonly #disk: SimulatedDisk;
  readonly #open = new Map<number, Open>();
  #next = 10;
  #temporary = 0;

  constructor(disk: SimulatedDisk) {
    this.#disk = disk;
  }

  /** The process that had them open is gone. */
  reset(): void {
    this.#open.clear();
  }

  existsSync(path: string): boolean {
    return this.#disk.find(path) !== undefined;
  }

  mkdirSync(path: string): undefined {
    const above = dirname(path);
    if (above !== path && !this.existsSync(above)) this.mkdirSync(above);
    if (this.existsSync(path)) return;
    const made = new Directory();
    this.#disk.change(() => this.#disk.directory(above).set([basename(path), made]));
  }

  mkdtempSync(prefix: string): string {
    const path = `${prefix}${String((this.#temporary += 1)).padStart(6, '0')}`;
    this.mkdirSync(path);
    return path;
  }

  openSync(path: string, flags: string): number {
    const node = this.#disk.find(path);
    if (node !== undefined && flags.includes('x')) throw new FileError('EEXIST', 'open', path);
    if (node !== undefined) return this.#opened({ path, node, made: false });
    if (flags.startsWith('r')) throw new FileError('ENOENT', 'open', path);
    return this.make(path);
  }

  /** Makes an empty file. @returns it, open */
  make(path: string): number {
    const node = new SimulatedFile();
    this.#disk.change(() => this.#disk.directory(dirname(path)).set([basename(path), node]));
    return this.#opened({ path, node, made: true });
  }

  #opened(open: Open): number {
    this.#open.set((this.#next += 1), open);
    return this.#next;
  }

  /** @param position the end unless it says. @returns bytes written */
  writeSync(fd: number, data: string | Uint8Array, position?: number): number {
    const file = this.#file(fd);
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    this.#disk.change(() => {
      file.write(position ?? file.size, bytes);
    });
    return bytes.length;
  }

  /** @returns bytes read */
  readSync(fd: number, into: Uint8Array, offset: number, length: number, position: number): number {
    this.#disk.checkPower();
    const bytes = this.#file(fd)
      .view()
      .subarray(position, position + length);
    into.set(bytes, offset);
    return bytes.length;
  }

  ftruncateSync(fd: number, size: number): void {
    const file = this.#file(fd);
    this.#disk.change(() => file.resize(size));
  }

  fstatSync(fd: number): { readonly size: number } {
    this.#disk.checkPower();
    return { size: this.#file(fd).size };
  }

  /** As SQLite does on Unix: a journal's first sync makes its name durable too. */
  fsyncSync(fd: number): void {
    const { path, node, made } = this.#of(fd);
    this.#disk.sync(node);
    if (!made || !/-(?:wal|journal)$/.test(path)) return;
    this.#disk.sync(this.#disk.directory(dirname(path)));
  }

  closeSync(fd: number): void {
    this.#open.delete(fd);
  }

  renameSync(from: string, to: string): void {
    const file = this.#disk.file(from);
    if (dirname(from) !== dirname(to)) throw new FileError('EXDEV', 'rename', to);
    this.#disk.change(() =>
      this.#disk.directory(dirname(from)).set([basename(from), undefined], [basename(to), file]),
    );
  }

  rmSync(path: string, { force }: { force: boolean; recursive?: boolean }): void {
    if (this.existsSync(path)) this.unlinkSync(path);
    else if (!force) throw new FileError('ENOENT', 'rm', path);
  }

  unlinkSync(path: string): void {
    if (!this.existsSync(path)) throw new FileError('ENOENT', 'unlink', path);
    this.#disk.change(() => this.#disk.directory(dirname(path)).set([basename(path), undefined]));
  }

  readFileSync(path: string): string {
    return Buffer.from(this.#disk.file(path).view()).toString('utf8');
  }

  readdirSync(path: string): string[] {
    return [...this.#disk.directory(path).entries.keys()].sort();
  }

  statSync(path: string): { mode: number; size: number } {
    return { mode: MODE, size: this.#disk.file(path).size };
  }

  #of(fd: number): Open {
    const open = this.#open.get(fd);
    if (open === undefined) throw new FileError('EBADF', 'open', String(fd));
    return open;
  }

  #file(fd: number): SimulatedFile {
    const { path, node } = this.#of(fd);
    if (!(node instanceof SimulatedFile)) throw new FileError('EISDIR', 'open', path);
    return node;
  }
}

/** The same for the SQLite engine, which opens files by numbers and takes directories for locks. */
export class EngineFiles {
  readonly constants = constants;
  readonly #files: SimulatedFiles;
  readonly #locks = new Set<string>();

  constructor(files: SimulatedFiles) {
    this.#files = files;
  }

  /** As after {@link SimulatedFiles.reset}. */
  reset(): void {
    this.#locks.clear();
  }

  readonly readFileSync = (): Uint8Array => new Uint8Array(0);

  readonly accessSync = (path: string): void => {
    if (!this.#locks.has(path) && !this.#files.existsSync(path))
      throw new FileError('ENOENT', 'access', path);
  };

  readonly openSync = (path: string, flags: number): number => {
    const exists = this.#files.existsSync(path);
    if (exists && (flags & constants.O_EXCL) !== 0) throw new FileError('EEXIST', 'open', path);
    return exists || (flags & constants.O_CREAT) === 0
      ? this.#files.openSync(path, 'r')
      : this.#files.make(path);
  };

  readonly mkdirSync = (path: string): void => {
    if (this.#locks.has(path)) throw new FileError('EEXIST', 'mkdir', path);
    this.#locks.add(path);
  };

  readonly rmdirSync = (path: string): void => {
    this.#locks.delete(path);
  };

  readonly closeSync = (fd: number): void => {
    this.#files.closeSync(fd);
  };

  readonly readSync = (fd: number, into: Uint8Array, offset: number, length: number, at: bigint): number =>
    this.#files.readSync(fd, into, offset, length, Number(at));

  readonly writeSync = (fd: number, from: Uint8Array, offset: number, length: number, at: number): number =>
    this.#files.writeSync(fd, from.subarray(offset, offset + length), at);

  readonly fsyncSync = (fd: number): void => {
    this.#files.fsyncSync(fd);
  };

  readonly ftruncateSync = (fd: number, size: number): void => {
    this.#files.ftruncateSync(fd, size);
  };

  readonly fstatSync = (fd: number): { readonly size: number } => this.#files.fstatSync(fd);

  readonly unlinkSync = (path: string): void => {
    this.#files.unlinkSync(path);
  };
}
