import { readRecord } from '@whorl/protocol';
import type { LogRecord, UserRecord } from '@whorl/protocol';
import type { Store } from './store.ts';

/** All that another terminal held, to make this one the same to a gateway. */
export interface Held {
  readonly epoch: number;
  readonly boots: number;
  /** By how much its clock is ahead, milliseconds, and by how many millionths it is fast. */
  readonly clock: { readonly aheadMs: number; readonly ppm: number };
  /** Records that its log kept, ascending without a gap, up to `last`. */
  readonly log: { readonly last: number; readonly records: readonly LogRecord[] };
  readonly users: readonly UserRecord[];
}

/** What happened at another terminal, to happen here as well. */
export interface Happening {
  readonly put?: readonly UserRecord[] | undefined;
  readonly dropped?: readonly number[] | undefined;
  /** Records that its log got; here they get the next numbers. */
  readonly records: readonly LogRecord[];
}

/** All that a terminal keeps but its key and what is on its way. */
export function heldBy(store: Store): Held {
  const { users, log, epoch, boots, clock } = store.state;
  return {
    epoch,
    boots,
    clock: { aheadMs: store.shown() - store.trueTime, ppm: clock.ppm },
    log: { last: log.last, records: log.page(0, log.size) },
    users: [...users.entries()].map(([, { bytes }]) => readRecord(bytes)),
  };
}
