import type { Random } from '@whorl/protocol';
import { FATES, SimulatedFile } from './file.ts';
import type { Fate } from './file.ts';

/** The power is gone: nothing reaches the disk any more, and nothing comes from it. */
export class PowerLost extends Error {
  override readonly name = 'PowerLost';
  readonly code = 'EIO';
  readonly syscall = 'power';
}

/** What a file system says, in node:fs' words. */
export class FileError extends Error {
  readonly code: string;
  readonly syscall: string;

  constructor(code: string, syscall: string, path: string) {
    super(`${code}: ${syscall} '${path}'`);
    this.code = code;
    this.syscall = syscall;
  }
}

type Node = SimulatedFile | Directory;

/** Names that appear, go, or come to mean another file; together, as in a rename. */
type Renaming = readonly (readonly [name: string, node: Node | undefined])[];

/** File systems keep the order of what happens to names, and lose the end of it. */
export class Directory {
  entries = new Map<string, Node>();
  #durable = new Map<string, Node>();
  #pending: Renaming[] = [];

  set(...renaming: Renaming): void {
    this.#pending.push(renaming);
    apply(this.entries, renaming);
  }

  sync(): void {
    for (const renaming of this.#pending) apply(this.#durable, renaming);
    this.#pending = [];
  }

  syncAll(): void {
    this.sync();
    for (const node of this.entries.values())
      if (node instanceof Directory) node.syncAll();
      else node.sync();
  }

  losePower(random: Random, fate: Fate): void {
    const all = this.#pending.length;
    const kept = fate === 'dropped' ? 0 : fate === 'kept' ? all : random.below(all + 1);
    for (const renaming of this.#pending.slice(0, kept)) apply(this.#durable, renaming);
    this.#pending = [];
    this.entries = new Map(this.#durable);
    for (const node of this.entries.values()) node.losePower(random, fate);
  }
}

function* filesIn(directory: Directory, path: string): Generator<readonly [path: string, bytes: Buffer]> {
  for (const [name, node] of directory.entries)
    if (node instanceof Directory) yield* filesIn(node, `${path}/${name}`);
    else {
      const bytes = node.view();
      yield [`${path}/${name}`, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)];
    }
}

function apply(entries: Map<string, Node>, renaming: Renaming): void {
  for (const [name, node] of renaming)
    if (node === undefined) entries.delete(name);
    else entries.set(name, node);
}

/**
 * A disk that forgets what was not synced when the power goes, after any chosen number of writes, syncs and changes of
 * names.
 */
export class SimulatedDisk {
  readonly #root = new Directory();
  #left = Number.POSITIVE_INFINITY;
  #lost = false;
  /** Writes, syncs and changes of names so far. */
  operations = 0;
  /** What it says to whoever writes: nothing more fits, or it is broken. */
  refuses: 'ENOSPC' | 'EIO' | undefined;
  /** Called when the power goes. */
  onLost: () => void = () => undefined;

  /** The power goes at the `operations`th operation from now on: whether it is still done, chance says. */
  losePowerAfter(operations: number): void {
    this.#left = operations;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** The power goes now. */
  cut(): void {
    this.#left = Number.POSITIVE_INFINITY;
    this.#lost = true;
    this.onLost();
  }

  /** What the loss left becomes what is there, and the disk works again. */
  comeBack(random: Random): void {
    const fate = FATES[random.below(FATES.length)] ?? 'mixed';
    this.#root.losePower(random, fate);
    this.#lost = false;
    this.refuses = undefined;
    this.#left = Number.POSITIVE_INFINITY;
  }

  /** @throws PowerLost */
  checkPower(): void {
    if (this.#lost) throw new PowerLost('the power is gone');
  }

  /** @throws PowerLost; FileError */
  change(work: () => void): void {
    if (this.refuses !== undefined) throw new FileError(this.refuses, 'write', 'disk');
    this.#count();
    work();
    if (this.#left === 0) this.cut();
    this.checkPower();
  }

  /** A sync during which the power goes makes nothing durable for certain. @throws PowerLost */
  sync(node: Node): void {
    this.#count();
    if (this.#left === 0) this.cut();
    this.checkPower();
    node.sync();
  }

  /** Every file, with what programs read in it. */
  *contents(): Generator<readonly [path: string, bytes: Buffer]> {
    yield* filesIn(this.#root, '');
  }

  /** Everything so far is durable. */
  syncAll(): void {
    this.#root.syncAll();
  }

  #count(): void {
    this.checkPower();
    this.operations += 1;
    this.#left -= 1;
  }

  /** @returns what is there under an absolute path, if anything */
  find(path: string): Node | undefined {
    this.checkPower();
    let node: Node | undefined = this.#root;
    for (const name of path.split('/').filter((one) => one !== '')) {
      if (!(node instanceof Directory)) return undefined;
      node = node.entries.get(name);
    }
    return node;
  }

  /** @throws FileError ENOENT */
  directory(path: string): Directory {
    const node = this.find(path);
    if (node instanceof Directory) return node;
    throw new FileError('ENOENT', 'open', path);
  }

  /** @throws FileError ENOENT */
  file(path: string): SimulatedFile {
    const node = this.find(path);
    if (node instanceof SimulatedFile) return node;
    throw new FileError('ENOENT', 'open', path);
  }
}
