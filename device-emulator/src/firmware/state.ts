import { LOG_KINDS } from '@whorl/protocol';
import type { LogRecord } from '@whorl/protocol';
import { TRUE_CLOCK } from './clock.ts';
import type { ClockSetting } from './clock.ts';
import { PPM_BIAS } from './ops.ts';
import type { Op } from './ops.ts';
import { PortableState } from './portable/state.ts';
import { LogRing } from './ring.ts';
import { Staging } from './staging.ts';
import { UserTable } from './users.ts';

/** All that a terminal keeps without power. It changes only by {@link State.apply}, so a journal of changes rebuilds it. */
export class State {
  epoch = 0;
  /** The pairing key; `undefined` for a terminal that belongs to nobody. */
  key: Uint8Array | undefined;
  boots = 0;
  clock: ClockSetting = TRUE_CLOCK;
  /** Those who are let in; a slice that was downloaded replaces them at once. */
  users = new UserTable();
  readonly portable = new PortableState();
  readonly log: LogRing;
  readonly staging = new Staging();
  /** Users changed here, with the log record that says so, until no push can be on its way that was begun without it. */
  readonly changed = new Map<number, number>();

  /** @param logs records that the log keeps */
  constructor(logs: number) {
    this.log = new LogRing(logs);
  }

  apply(op: Op): void {
    switch (op.name) {
      case 'made':
        this.#make(op.epoch, op.boots);
        break;
      case 'booted':
        this.boots = op.boots;
        break;
      case 'put':
        this.users.put(op.user, { bytes: op.bytes, digest: op.digest });
        break;
      case 'dropped':
        this.users.drop(op.user);
        break;
      case 'logged':
        this.log.add(op.record);
        if (isChangeHere(op.record)) this.changed.set(op.record.user, op.record.id);
        break;
      case 'cleared':
        this.log.clear(op.last);
        break;
      case 'changed':
        this.changed.set(op.user, op.log);
        break;
      case 'paired':
        this.key = op.key.some((byte) => byte !== 0) ? op.key.slice() : undefined;
        break;
      case 'clock':
        this.clock = { shown: op.shown, at: op.at, ppm: op.ppm - PPM_BIAS };
        break;
      case 'staged':
      case 'arrived':
      case 'unstaged':
      case 'renumbered':
        this.#stage(op);
        break;
      default:
        this.users = this.portable.apply(op, this.users);
    }
  }

  /**
   * A push was begun with all records up to `after` stored, and so will be every later one. That the records are stored
   * is not enough: a push that was begun before may still be on its way.
   */
  known(after: number): void {
    for (const [user, log] of this.changed) if (log <= after) this.changed.delete(user);
  }

  /** Whether a user was changed here by a record newer than `after`. */
  changedSince(user: number, after: number): boolean {
    return (this.changed.get(user) ?? 0) > after;
  }

  /** The changes that make this state out of nothing. */
  *snapshot(): Generator<Op> {
    yield { name: 'made', epoch: this.epoch, boots: this.boots };
    const { shown, at, ppm } = this.clock;
    if (this.key !== undefined) yield { name: 'paired', key: this.key };
    yield { name: 'clock', shown, at, ppm: ppm + PPM_BIAS };
    for (const [user, { digest, bytes }] of this.users.entries()) yield { name: 'put', user, digest, bytes };
    yield { name: 'cleared', last: this.log.last - this.log.size };
    for (const record of this.log.page(0, this.log.size)) yield { name: 'logged', record };
    for (const [user, log] of this.changed) yield { name: 'changed', user, log };
    yield* this.staging.snapshot();
    yield* this.portable.snapshot(this.users);
  }

  #make(epoch: number, boots: number): void {
    this.epoch = epoch;
    this.boots = boots;
    this.clock = TRUE_CLOCK;
    this.key = undefined;
    this.users.clear();
    this.log.clear(0);
    this.staging.clear();
    this.changed.clear();
    this.portable.reset();
  }

  #stage(op: Extract<Op, { name: 'staged' | 'arrived' | 'unstaged' | 'renumbered' }>): void {
    switch (op.name) {
      case 'staged':
        this.staging.begin(op.transfer, op);
        break;
      case 'arrived':
        this.staging.get(op.transfer)?.add(op.index, op.bytes);
        break;
      case 'unstaged':
        this.staging.drop(op.transfer);
        break;
      case 'renumbered':
        this.staging.renumber(op.transfer, op.to);
    }
  }
}

const changeCodes = new Set<number>(
  (['user.enrolled', 'user.edited', 'user.deleted'] as const).map((kind) => LOG_KINDS[kind].code),
);

function isChangeHere(record: LogRecord): boolean {
  return record.origin === 'terminal' && changeCodes.has(record.code);
}
