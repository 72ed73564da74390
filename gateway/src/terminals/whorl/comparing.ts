import {
  NO_DIGEST,
  sameBytes,
  Sketch,
  SKETCH_SYMBOLS,
  sketchItem,
  SYMBOL_BYTES,
  SYMBOLS_PER_PAGE,
  toggled,
} from '@whorl/protocol';
import type { SketchItem } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Comparison } from '../driver.ts';

/** What can be asked of a terminal about its users. */
export interface Asked {
  symbols(from: number, count: number): Promise<{ readonly table: Uint8Array; readonly symbols: Uint8Array }>;
  /** All of them, with digests: what it costs when nothing else helps. */
  all(): Promise<ReadonlyMap<number, Uint8Array>>;
  /** Lets live work go on. */
  pause(): Promise<void>;
}

/** Users reckoned with between two pauses: some ten milliseconds. */
const USERS_A_PAUSE = 10_000;

/** Enough for a dozen users that changed; more are asked for as they are needed. */
const FIRST_SYMBOLS = 24;
const MORE_SYMBOLS = 8;
/** Asked for on top, as a share of those that were not enough. */
const GROWTH = 0.25;

/**
 * Finds in what a terminal's users differ from those expected, with as few bytes as that takes: nothing but the table's
 * digest when they are the same; symbols of its sketch until the differences come apart; the whole list when there are
 * too many, or when the table changed meanwhile.
 */
export async function compareUsers(
  expected: ReadonlyMap<number, Uint8Array>,
  asked: Asked,
): Promise<Comparison> {
  const table = tableOf(expected);
  const first = await firstSymbol(asked);
  if (first === undefined) return fromList(expected, await asked.all());
  if (sameBytes(first.table, table)) return { same: expected.size, different: [], missing: [], extra: [] };
  const sketch = new Sketch(SKETCH_SYMBOLS);
  let counted = 0;
  for (const [id, digest] of expected) {
    sketch.toggle(sketchItem(id, digest));
    counted += 1;
    if (counted % USERS_A_PAUSE === 0) await asked.pause();
  }
  sketch.subtract(first.symbols, 0);
  // A list of all costs 20 bytes a user.
  const worth = Math.min(SKETCH_SYMBOLS, Math.ceil((20 * expected.size) / SYMBOL_BYTES) + FIRST_SYMBOLS);
  for (let count = 1; count < worth;) {
    const wanted =
      count < FIRST_SYMBOLS ? FIRST_SYMBOLS - count : Math.max(MORE_SYMBOLS, Math.ceil(GROWTH * count));
    const page = await asked.symbols(count, Math.min(wanted, worth - count, SYMBOLS_PER_PAGE));
    if (!sameBytes(page.table, first.table) || page.symbols.length === 0) break;
    sketch.subtract(page.symbols, count);
    count += page.symbols.length / SYMBOL_BYTES;
    const found = sketch.differences(count);
    if (found !== undefined) return sorted(expected, found);
  }
  return fromList(expected, await asked.all());
}

/** @returns `undefined` of a firmware that knows no sketches: it is asked for all of its users */
async function firstSymbol(asked: Asked): Promise<Awaited<ReturnType<Asked['symbols']>> | undefined> {
  try {
    return await asked.symbols(0, 1);
  } catch (error) {
    if (error instanceof RefusedError && error.reason === 'unknown-message') return undefined;
    throw error;
  }
}

function tableOf(users: ReadonlyMap<number, Uint8Array>): Uint8Array {
  let table: Uint8Array = NO_DIGEST;
  for (const digest of users.values()) table = toggled(table, digest);
  return table;
}

/** A difference of a user whom nobody expected is there only; one that is just what was expected is lacking there. */
function sorted(expected: ReadonlyMap<number, Uint8Array>, found: readonly SketchItem[]): Comparison {
  const different: number[] = [];
  const missing: number[] = [];
  const extra: number[] = [];
  for (const { id, tag } of found) {
    const digest = expected.get(id);
    if (digest === undefined) extra.push(id);
    else if (sketchItem(id, digest).tag === tag) missing.push(id);
    else different.push(id);
  }
  return {
    same: expected.size - different.length - missing.length,
    different: ascending(different),
    missing: ascending(missing),
    extra: ascending(extra),
  };
}

function fromList(
  expected: ReadonlyMap<number, Uint8Array>,
  held: ReadonlyMap<number, Uint8Array>,
): Comparison {
  const different: number[] = [];
  const missing: number[] = [];
  for (const [id, digest] of expected) {
    const there = held.get(id);
    if (there === undefined) missing.push(id);
    else if (!sameBytes(there, digest)) different.push(id);
  }
  const extra = [...held.keys()].filter((id) => !expected.has(id));
  const same = expected.size - different.length - missing.length;
  return { same, different: ascending(different), missing: ascending(missing), extra: ascending(extra) };
}

function ascending(ids: readonly number[]): readonly number[] {
  return [...ids].sort((a, b) => a - b);
}
