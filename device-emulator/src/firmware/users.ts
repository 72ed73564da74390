import {
  codeOf,
  credentialOf,
  decodeUser,
  NO_DIGEST,
  readRecord,
  Sketch,
  sketchItem,
  SKETCH_SYMBOLS,
  toggled,
} from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';

/** A user as it is kept: the record's bytes as on the wire, and its digest. */
export interface HeldUser {
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
}

/** Enough for a hundred differences. */
const KEPT_SYMBOLS = 256;

/** The users that a terminal holds, with the digest of them all kept up to date. */
export class UserTable {
  readonly #held = new Map<number, HeldUser>();
  #table: Uint8Array = NO_DIGEST;
  /** The first symbols of its sketch, kept up to date once somebody has asked for them; more are made when asked for. */
  #sketch: Sketch | undefined;
  #ids: number[] | undefined;
  #cards: ReadonlyMap<string, Card> | undefined;

  get size(): number {
    return this.#held.size;
  }

  /** Digest of the whole table. */
  get digest(): Uint8Array {
    return this.#table;
  }

  get(id: number): HeldUser | undefined {
    return this.#held.get(id);
  }

  record(id: number): UserRecord | undefined {
    const held = this.#held.get(id);
    return held === undefined ? undefined : readRecord(held.bytes);
  }

  put(id: number, user: HeldUser): void {
    const before = this.#held.get(id);
    this.#held.set(id, user);
    if (before !== undefined) this.#sketch?.toggle(sketchItem(id, before.digest));
    this.#sketch?.toggle(sketchItem(id, user.digest));
    this.#table = toggled(
      before === undefined ? this.#table : toggled(this.#table, before.digest),
      user.digest,
    );
    this.#cards = undefined;
    if (before === undefined) this.#ids = undefined;
  }

  drop(id: number): void {
    const before = this.#held.get(id);
    if (before === undefined) return;
    this.#held.delete(id);
    this.#sketch?.toggle(sketchItem(id, before.digest));
    this.#table = toggled(this.#table, before.digest);
    this.#cards = undefined;
    this.#ids = undefined;
  }

  clear(): void {
    this.#held.clear();
    this.#sketch = undefined;
    this.#table = NO_DIGEST;
    this.#cards = undefined;
    this.#ids = undefined;
  }

  /** Another table with the same users. */
  copy(): UserTable {
    const table = new UserTable();
    for (const [id, user] of this.#held) table.#held.set(id, user);
    table.#table = this.#table;
    return table;
  }

  /** Symbols of the sketch of who is held, as bytes. */
  symbols(from: number, count: number): Uint8Array {
    const size = Math.min(SKETCH_SYMBOLS, Math.max(KEPT_SYMBOLS, from + count));
    if (this.#sketch === undefined || this.#sketch.size < size) {
      this.#sketch = new Sketch(size === KEPT_SYMBOLS ? size : SKETCH_SYMBOLS);
      for (const [id, { digest }] of this.#held) this.#sketch.toggle(sketchItem(id, digest));
    }
    return this.#sketch.bytes(from, count);
  }

  entries(): Iterable<[number, HeldUser]> {
    return this.#held.entries();
  }

  /** At most `most` ids above `after`, ascending. */
  page(after: number, most: number): readonly number[] {
    const ids = this.ids();
    const from = firstAbove(ids, after);
    return ids.slice(from, from + most);
  }

  /** All ids, ascending. */
  ids(): readonly number[] {
    this.#ids ??= [...this.#held.keys()].sort((a, b) => a - b);
    return this.#ids;
  }

  /** Whose card this is: looked up far more often than users change. */
  holderOf(card: Uint8Array): Card | undefined {
    this.#cards ??= this.#allCards();
    return this.#cards.get(keyOf(card));
  }

  #allCards(): ReadonlyMap<string, Card> {
    const cards = new Map<string, Card>();
    for (const [user, held] of this.#held) {
      for (const [field, value] of readRecord(held.bytes).fields)
        if (credentialOf(field)?.kind === 'card') cards.set(keyOf(value.subarray(1)), { user, field });
    }
    return cards;
  }
}

/** Users worked out once for many terminals that hold the same: they share the bytes, and none changes those. */
export interface SharedUsers {
  readonly table: UserTable;
  /** The same as a journal has them. */
  readonly entries: readonly Uint8Array[];
}

/** Whose a card is, and which of their fields it is in. */
export interface Card {
  readonly user: number;
  readonly field: number;
}

function keyOf(number: Uint8Array): string {
  return Buffer.from(number).toString('hex');
}

function firstAbove(ids: readonly number[], after: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] ?? 0) > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The fields in which two records differ. */
export function changedFields(before: UserRecord | undefined, after: UserRecord): number[] {
  const numbers = new Set([...(before?.fields.keys() ?? []), ...after.fields.keys()]);
  return [...numbers].filter((number) => !sameField(before, after, number)).sort((a, b) => a - b);
}

function sameField(before: UserRecord | undefined, after: UserRecord, number: number): boolean {
  const [a, b] = [before?.fields.get(number), after.fields.get(number)];
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}

/** Whether a user can be made of these bytes. */
export function isSound(bytes: Uint8Array): boolean {
  try {
    decodeUser(bytes);
    return true;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}

export function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}
