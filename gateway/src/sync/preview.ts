import { hash } from 'node:crypto';
import { counted, WhorlError } from '@whorl/protocol';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { LedgerRow } from '../store/store.ts';

/**
 * What a change does with a user at a terminal: added or overwritten there, removed from there, fetched from there, or
 * left alone there from now on.
 */
export const EFFECTS = ['added', 'overwritten', 'removed', 'fetched', 'left'] as const;
export type EffectKind = (typeof EFFECTS)[number];

export interface Effect {
  readonly user: number;
  readonly terminal: string;
  readonly effect: EffectKind;
}

export type EffectCounts = Readonly<Record<EffectKind, number>>;

/** What a change would do, before it does it. */
export interface Preview {
  /** Given back with the change, it makes sure that nobody else is removed than those counted here. */
  readonly confirm: string;
  /**
   * Without that the change is refused: it removes (an import: overwrites) more than `guardUsers` or `guardPercent` of a
   * terminal's users.
   */
  readonly guarded: boolean;
  /** Terminals where anything changes; `users` are those it should have now. */
  readonly terminals: readonly ({ readonly terminal: string; readonly users: number } & EffectCounts)[];
  /** A page of who, by ascending user. */
  readonly users: readonly Effect[];
  /** Where the next page goes on, when there is one. */
  readonly next?: number;
}

/** Which users a preview names. */
export interface PreviewPage {
  /** Users with higher ids. */
  readonly after?: number;
  /** At least so many, when there are; a user is not split. */
  readonly limit?: number;
}

/** Given with a change that removes users. */
export interface Confirmation {
  /** What the preview answered. */
  readonly confirm?: string | undefined;
}

const DEFAULT_LIMIT = 100;
/** So few are never too many. */
const HANDFUL = 5;
const NONE: EffectCounts = { added: 0, overwritten: 0, removed: 0, fetched: 0, left: 0 };

/** What a change does that is held back when it is too much. */
type Guarded = Extract<EffectKind, 'removed' | 'overwritten'>;

/** Counts what a change does, and who is meant. */
export class Tally {
  readonly #users = new Map<string, number>();
  readonly #counts = new Map<string, Record<EffectKind, number>>();
  readonly #grave: string[] = [];
  readonly #guarded: Guarded;
  readonly #page: Effect[] = [];
  readonly #after: number;
  readonly #limit: number;
  #next: number | undefined;

  /** @param guarded what of it may be too much */
  constructor({ after = 0, limit = DEFAULT_LIMIT }: PreviewPage = {}, guarded: Guarded = 'removed') {
    this.#guarded = guarded;
    this.#after = after;
    this.#limit = limit;
  }

  /** A terminal has so many more users now. */
  held(terminal: string, users = 1): void {
    this.#users.set(terminal, (this.#users.get(terminal) ?? 0) + users);
  }

  /** By ascending user. */
  add({ user, terminal, effect }: Effect): void {
    const counts = this.#counts.get(terminal) ?? { ...NONE };
    counts[effect] += 1;
    this.#counts.set(terminal, counts);
    if (effect === this.#guarded) this.#grave.push(`${user} ${terminal}`);
    if (user <= this.#after || this.#next !== undefined) return;
    const last = this.#page.at(-1)?.user;
    if (last !== undefined && last !== user && this.#page.length >= this.#limit) this.#next = last;
    else this.#page.push({ user, terminal, effect });
  }

  get counts(): ReadonlyMap<string, EffectCounts> {
    return this.#counts;
  }

  /** @param change what is being done, so that one change is not confirmed with another's preview */
  preview(change: string, guard: Pick<RuntimeSettings, 'guardUsers' | 'guardPercent'>): Preview {
    const terminals = [...this.#counts].map(([terminal, counts]) => ({
      terminal,
      users: this.#users.get(terminal) ?? 0,
      ...counts,
    }));
    const text = JSON.stringify([change, [...this.#grave].sort()]);
    return {
      confirm: hash('sha256', text, 'hex').slice(0, 12),
      guarded: terminals.some((one) => isTooMuch(one[this.#guarded], one.users, guard)),
      terminals,
      users: this.#page,
      ...(this.#next === undefined ? {} : { next: this.#next }),
    };
  }
}

/** Whether so many of so many users are too many to be removed, or overwritten, unasked. */
export function isTooMuch(
  count: number,
  users: number,
  { guardUsers, guardPercent }: Pick<RuntimeSettings, 'guardUsers' | 'guardPercent'>,
): boolean {
  if (count > guardUsers) return true;
  return count > HANDFUL && count * 100 > guardPercent * users;
}

/**
 * Lets a change pass that removes or overwrites few, or that was confirmed.
 * @param what it does that is guarded
 * @throws WhorlError GUARD_EXCEEDED, GUARD_CHANGED
 */
export function guard(preview: Preview, { confirm }: Confirmation, what: Guarded = 'removed'): void {
  const extent = extentOf(preview, what);
  if (confirm !== undefined) {
    if (confirm === preview.confirm) return;
    throw new WhorlError('GUARD_CHANGED', `${extent}, and that is not what ${confirm} stands for`);
  }
  if (preview.guarded) throw new WhorlError('GUARD_EXCEEDED', extent);
}

function extentOf({ terminals }: Preview, what: Guarded): string {
  const [verb, place] = what === 'removed' ? ['removes', 'from'] : ['overwrites', 'at'];
  const some = terminals
    .filter((one) => one[what] > 0)
    .map((one) => `${one[what]} of ${counted(one.users, 'user')} ${place} ${one.terminal}`);
  return `the change ${verb} ${some.length === 0 ? 'nobody' : some.join(', ')}`;
}

/** What a ledger row that is to be written does at its terminal; `undefined` for nothing. */
export function effectOf(before: LedgerRow | undefined, planned: LedgerRow): Effect | undefined {
  const { user, terminal } = planned;
  // Whom a terminal brought back was never delivered, as far as is known.
  const toBeRemoved = before?.want === 'absent' && before.state === 'withheld';
  const there =
    toBeRemoved ||
    before?.delivered !== undefined ||
    before?.state === 'verified' ||
    before?.state === 'sending';
  if (planned.state === 'withheld')
    return before?.state === 'withheld' ? undefined : { user, terminal, effect: 'left' };
  if (planned.want === 'present') return { user, terminal, effect: there ? 'overwritten' : 'added' };
  // Whom people enrolled where nothing is sent, no row tells of.
  return there || before === undefined ? { user, terminal, effect: 'removed' } : undefined;
}
