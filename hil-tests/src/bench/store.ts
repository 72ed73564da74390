import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { openStoreThread } from '@whorl/gateway';
import type { LedgerRow, Store } from '@whorl/gateway';
import { encodeUser, readRecord } from '@whorl/protocol';
import { fingerUser } from './users.ts';

const ROUNDS = 8;
const TOGETHER = 200;
/** The same fields each time: making them is not what is measured. */
const { fields: FIELDS } = readRecord(encodeUser(fingerUser(1)));
const TERMINALS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** What the store makes of the disk: merges stored durably, beside bare fdatasync calls in the same run. */
export async function benchStore({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  // Beside the project, not in a temporary directory, which may be memory.
  const directory = mkdtempSync(join(resolve('.'), '.bench-'));
  const store = await openStoreThread({ data: join(directory, 'data') });
  const raw = openSync(join(directory, 'raw'), 'w');
  try {
    const each = quick ? 50 : 400;
    const ratios: number[] = [];
    const gains: number[] = [];
    let id = 1;
    for (let round = 0; round < ROUNDS; round += 1) {
      const syncs = rate(each, await timed(async () => bareSyncs(raw, each)));
      const single = rate(
        each,
        await timed(async () => {
          for (let i = 0; i < each; i += 1) await mergeOne(store, (id += 1));
        }),
      );
      const grouped = rate(
        TOGETHER,
        await timed(async () => {
          await Promise.all(Array.from({ length: TOGETHER }, () => mergeOne(store, (id += 1))));
        }),
      );
      ratios.push(single / syncs);
      gains.push(grouped / single);
    }
    return { 'store.merge_durable': median(ratios), 'store.merge_grouped': median(gains) };
  } finally {
    await store.close();
    closeSync(raw);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What a pull of a new finger user stores: the user, its row at each of six terminals, the event. */
async function mergeOne(store: Store, user: number): Promise<void> {
  const record = { id: user, fields: FIELDS };
  const now = 1_767_225_600_000;
  await store.user(user);
  const provenance = new Map(
    [...record.fields.keys()].map((field) => [
      field,
      { origin: 'terminal' as const, terminal: 'a', time: now },
    ]),
  );
  const ledger = TERMINALS.map((terminal): LedgerRow => ({
    user,
    terminal,
    want: 'present',
    state: 'pending',
    version: 1,
    attempts: 0,
    nextTry: now,
  }));
  await store.saveUser({
    user,
    from: 0,
    next: { record, version: 1, provenance },
    ledger,
    pull: { terminal: 'a', log: 1 },
    events: [
      {
        type: 'user.merged',
        time: now,
        terminal: 'a',
        user,
        origin: 'terminal',
        data: { version: 1, filled: ['finger.0'], replaced: [], kept: [] },
      },
    ],
    time: now,
  });
}

function bareSyncs(file: number, count: number): void {
  const page = new Uint8Array(4096);
  for (let i = 0; i < count; i += 1) {
    writeSync(file, page);
    fdatasyncSync(file);
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function rate(count: number, ms: number): number {
  return (count * 1000) / ms;
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
