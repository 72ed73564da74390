import { credentialOf, readRecord, recordDigest, recordOf, writeRecord } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import type { Op } from './ops.ts';
import type { QuirkName } from './quirks.ts';
import type { State } from './state.ts';
import { isSound } from './users.ts';
import type { HeldUser } from './users.ts';

/** What was written so long ago is safe in any flash. */
const SETTLED_MS = 1_000;
/** Records between two times that a late counter is stored. */
const COUNTER_EVERY = 8;
/** Flash that was erased and not written. */
const ERASED = 0xff;

const UNSAFE: readonly QuirkName[] = ['flash-half-written', 'flash-loses-last', 'flash-old-returns'];

/** How things stood before what flash has not settled yet. */
interface Unsettled {
  /** Users written since, as they were before; `undefined` who was not there. */
  readonly users: ReadonlyMap<number, HeldUser | undefined>;
  /** Newest log record of then. */
  readonly last: number;
}

interface Written extends Unsettled {
  readonly at: number;
}

/** What a flash that is not safe against power loss was given last. */
export class Recent {
  readonly #needed: boolean;
  #written: Written[] = [];

  constructor(quirks: ReadonlySet<QuirkName>) {
    this.#needed = UNSAFE.some((quirk) => quirks.has(quirk));
  }

  /** Notes what is about to change. @param now by the clock, milliseconds */
  note(state: State, ops: readonly Op[], now: number): void {
    if (!this.#needed) return;
    const users = new Map<number, HeldUser | undefined>();
    for (const op of ops)
      if (op.name === 'put' || op.name === 'dropped') users.set(op.user, state.users.get(op.user));
    this.#forget(now);
    this.#written.push({ users, last: state.log.last, at: now });
  }

  /** What comes back when the power goes now; `undefined` when all is settled. */
  before(now: number): Unsettled | undefined {
    this.#forget(now);
    const [oldest] = this.#written;
    if (oldest === undefined) return undefined;
    // Of several versions the oldest is the one that was there before.
    const users = new Map(this.#written.toReversed().flatMap((one) => [...one.users]));
    return { users, last: oldest.last };
  }

  #forget(now: number): void {
    this.#written = this.#written.filter(({ at }) => now - at <= SETTLED_MS);
  }
}

/** The changes by which a power loss shows itself in flash of such a making. */
export function torn(state: State, before: Unsettled | undefined, quirks: ReadonlySet<QuirkName>): Op[] {
  const ops: Op[] = [];
  const last = state.log.last;
  for (const [user, former] of before?.users ?? []) {
    const now = state.users.get(user);
    if (quirks.has('flash-half-written') && now !== undefined) ops.push(put(user, halfWritten(now)));
    if (quirks.has('flash-old-returns') && former !== undefined) ops.push(put(user, former));
    if (quirks.has('flash-loses-last')) ops.push(put(user, former));
  }
  if (before !== undefined && quirks.has('flash-loses-last')) ops.push(...rewound(state, before.last));
  if (quirks.has('log-counter-late')) ops.push(...rewound(state, last - (last % COUNTER_EVERY)));
  return ops;
}

function put(user: number, held: HeldUser | undefined): Op {
  return held === undefined ? { name: 'dropped', user } : { name: 'put', user, ...held };
}

/** A user whose longest credential is erased from its middle on; nobody when nothing can be read of what is left. */
function halfWritten(held: HeldUser): HeldUser | undefined {
  const record = readRecord(held.bytes);
  const [longest] = [...record.fields]
    .filter(([number]) => credentialOf(number) !== undefined)
    .sort(([, a], [, b]) => b.length - a.length);
  if (longest === undefined) return undefined;
  const [number, value] = longest;
  const half = value.slice().fill(ERASED, Math.ceil(value.length / 2));
  const damaged: UserRecord = recordOf(record.id, new Map([...record.fields, [number, half]]));
  const bytes = writeRecord(damaged);
  return isSound(bytes) ? { bytes, digest: recordDigest(damaged) } : undefined;
}

/** The log as it was when `last` was its newest record. */
function rewound({ log }: State, last: number): Op[] {
  if (last === log.last) return [];
  const before = Math.min(last, log.last - log.size);
  const kept = log.page(0, log.size).filter(({ id }) => id <= last);
  return [{ name: 'cleared', last: before }, ...kept.map((record): Op => ({ name: 'logged', record }))];
}
