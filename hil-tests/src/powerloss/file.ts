import type { Random } from '@whorl/protocol';

const SECTOR = 512;
/** Room for what comes next, bytes. */
const SLACK = 65_536;

/** Something that was done to a file and that no sync has made durable yet. */
type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'size'; readonly size: number };

/** What a power loss does to a file's changes that were not synced: to all of them the same, or to each its own. */
export const FATES = ['dropped', 'kept', 'first', 'mixed'] as const;
export type Fate = (typeof FATES)[number];

/** Bytes that grow. */
class Bytes {
  #room: Uint8Array;
  #size: number;

  constructor(contents: Uint8Array) {
    this.#room = new Uint8Array(contents.length + SLACK);
    this.#room.set(contents);
    this.#size = contents.length;
  }

  get size(): number {
    return this.#size;
  }

  view(): Uint8Array {
    return this.#room.subarray(0, this.#size);
  }

  write(at: number, bytes: Uint8Array): void {
    if (at + bytes.length > this.#size) this.resize(at + bytes.length);
    this.#room.set(bytes, at);
  }

  resize(size: number): void {
    if (size > this.#room.length) {
      const room = new Uint8Array(Math.max(size, this.#room.length * 2));
      room.set(this.view());
      this.#room = room;
    } else if (size < this.#size) this.#room.fill(0, size, this.#size);
    this.#size = size;
  }

  apply(change: Change): void {
    if (change.kind === 'write') this.write(change.at, change.bytes);
    else this.resize(change.size);
  }
}

/** A file as programs see it, and as the platter holds it. */
export class SimulatedFile {
  #seen: Bytes;
  #durable: Bytes;
  #pending: Change[] = [];

  constructor(contents: Uint8Array = new Uint8Array(0)) {
    this.#seen = new Bytes(contents);
    this.#durable = new Bytes(contents);
  }

  get size(): number {
    return this.#seen.size;
  }

  /** @returns what programs read; to be copied by whoever keeps it */
  view(): Uint8Array {
    return this.#seen.view();
  }

  write(at: number, bytes: Uint8Array): void {
    const change = { kind: 'write', at, bytes: Uint8Array.from(bytes) } as const;
    this.#pending.push(change);
    this.#seen.apply(change);
  }

  resize(size: number): void {
    const change = { kind: 'size', size } as const;
    this.#pending.push(change);
    this.#seen.apply(change);
  }

  sync(): void {
    for (const change of this.#pending) this.#durable.apply(change);
    this.#pending = [];
  }

  /** What a power loss leaves of it becomes what it is. */
  losePower(random: Random, fate: Fate): void {
    const left = this.#durable;
    const pending = this.#pending;
    const first = random.below(pending.length + 1);
    for (const [index, change] of pending.entries()) {
      if (fate === 'dropped' || (fate === 'first' && index > first)) break;
      if (fate === 'kept' || (fate === 'first' && index < first)) left.apply(change);
      else keepSome(left, change, random);
    }
    if (fate === 'mixed') growByGarbage(left, pending, random);
    this.#pending = [];
    this.#seen = new Bytes(left.view());
  }
}

/** Each sector that a write touches is kept, dropped or torn: some bytes from its beginning or end are new, the others old. */
function keepSome(left: Bytes, change: Change, random: Random): void {
  if (change.kind === 'size') {
    if (random.below(2) === 0) left.resize(change.size);
    return;
  }
  const { at, bytes } = change;
  for (let from = at; from < at + bytes.length;) {
    const to = Math.min(at + bytes.length, (Math.floor(from / SECTOR) + 1) * SECTOR);
    const sector = bytes.subarray(from - at, to - at);
    const cut = random.below(sector.length);
    const fate = random.below(8);
    if (fate < 4) left.write(from, sector);
    else if (fate === 4) left.write(from, sector.subarray(0, cut));
    else if (fate === 5) left.write(from + cut, sector.subarray(cut));
    from = to;
  }
}

/** The new size reached the platter, the contents did not: what stood there before shows. */
function growByGarbage(left: Bytes, pending: readonly Change[], random: Random): void {
  const before = left.size;
  const sizes = pending.map((change) =>
    change.kind === 'size' ? change.size : change.at + change.bytes.length,
  );
  const size = sizes[random.below(sizes.length + 1)];
  if (size === undefined || size <= before) return;
  left.resize(size);
  if (random.below(2) === 0) left.write(before, random.bytes(size - before));
}
