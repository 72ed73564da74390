import { codeOf, counted, describe } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import { RefusedError } from '../lines/answer.ts';
import type { SyncRow, SyncState, Task } from '../store/tasks.ts';
import type { Identity, TerminalDriver } from '../terminals/driver.ts';
import type { PortableDriver, SyncProgress, SyncWish } from '../terminals/portable.ts';
import { download } from './downloading.ts';
import { SyncCancelled, SyncFailure } from './failure.ts';
import { bringFiles } from './files.ts';
import type { TaskGround } from './ground.ts';
import { Meter } from './meter.ts';
import type { Measured } from './meter.ts';
import { sendChanges } from './sending.ts';
import { tableOf } from './table.ts';

/** The display is told this often; on a slow line less, as it costs line. */
const TELL_MS = 1000;
const TELL_SLOW_MS = 4000;
const SLOW_BAUD = 38_400;
/** People may go on changing users while a session runs: what they changed is sent before the table is swapped. */
const SENDINGS = 3;

/** What a session needs to end on its own; what it does not name leaves the session open, to go on later. */
const FINAL: ReadonlySet<ErrorCode> = new Set([
  'EXCHANGE_REFUSED',
  'EXCHANGE_UNEXPECTED',
  'MESSAGE_RANGE',
  'TERMINAL_CHUNKS',
  'TRANSFER_DIGEST',
  'TRANSFER_SIZE',
  'TRANSFER_UNKNOWN',
  'VAULT_ERASED',
  'VAULT_SEALED',
]);

export interface SessionParts {
  readonly ground: TaskGround;
  readonly driver: TerminalDriver;
  readonly portable: PortableDriver;
  readonly identity: Identity;
  readonly task: Task;
  readonly wish: SyncWish;
  readonly row: SyncRow;
  /** Told each time that it has moved on. */
  readonly moved: () => void;
}

/**
 * One sync session of one terminal: sends, downloads, brings files, and tells the display how far it is. Whatever cuts
 * it off, it is begun again from its row and finds what is done already.
 */
export class Session {
  readonly #parts: SessionParts;
  readonly #meter: Meter;
  readonly #cancel = new AbortController();
  #row: SyncRow;
  #ending = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#row = parts.row;
    this.#meter = new Meter(parts.ground.site.clock);
  }

  get row(): SyncRow {
    return this.#row;
  }

  get measured(): Measured {
    return this.#meter.now;
  }

  /** @param by `operator`, or who does it at the gateway */
  cancel(by: string): void {
    this.#cancel.abort(new SyncCancelled(by));
  }

  /** @throws WhorlError what leaves the session open: the terminal or its line is away, the store fails, ABORTED */
  async run(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#cancel.signal]);
    const ticking = new AbortController();
    const ticks = this.#tick(AbortSignal.any([both, ticking.signal]));
    let failure: unknown;
    try {
      await this.#work(both);
    } catch (error) {
      failure = this.#cancel.signal.aborted ? this.#cancel.signal.reason : error;
    } finally {
      this.#ending = true;
      ticking.abort();
      await ticks;
    }
    if (failure === undefined) await this.#end('done', undefined, signal);
    else await this.#giveUp(failure, signal);
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { wish } = this.#parts;
    for (let sending = 1; ; sending += 1) {
      const forgets = wish.forget && wish.mode === 'synchronise';
      // An empty journal need not be asked for; there may be something in it once a swap has been refused.
      if (!forgets && (wish.unsent !== false || sending > 1)) await this.#send(signal);
      // Files are downloads as well.
      if (wish.mode === 'send') return;
      if (await this.#download(signal, sending === SENDINGS)) break;
    }
    if (wish.files) await this.#files(signal);
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { ground, driver, portable, identity, task } = this.#parts;
    const { site } = ground;
    this.#stage('sending');
    await sendChanges({
      ...{
        site,
        driver,
        portable,
        capabilities: identity.capabilities,
        serial: identity.serial,
        task: task.id,
      },
      ...{ sync: this.#row.id, signal },
      total: (entries) => this.#meter.expect(entries),
      answered: ({ result }, bytes) => {
        const member = result === 'conflict' ? 'conflicts' : result;
        this.#row = { ...this.#row, [member]: this.#row[member] + 1 };
        this.#meter.add(1, bytes);
      },
    });
  }

  /** @returns false when people changed users at the terminal meanwhile, so that it has to be sent once more first */
  async #download(signal: AbortSignal, last: boolean): Promise<boolean> {
    const { ground, driver, portable, identity, task, wish } = this.#parts;
    const { site } = ground;
    const { capabilities } = identity;
    const { slice } = task;
    this.#stage('preparing');
    const table = await tableOf(ground, slice, capabilities);
    if (table.users.size > capabilities.users)
      throw new SyncFailure(
        `${task.name} has ${counted(table.users.size, 'user')}, and the terminal holds at most ${capabilities.users}.`,
      );
    this.#stage('downloading');
    const digest = await download({
      ...{ ground, driver, portable, capabilities, task: task.id, slice, table, signal },
      total: (users, bytes) => this.#meter.expect(users, bytes),
      sent: (users, bytes) => {
        const { downloaded, bytes: before } = this.#row;
        this.#row = { ...this.#row, downloaded: downloaded + users, bytes: before + bytes };
        this.#meter.add(users, bytes);
      },
      removed: (users) => {
        this.#row = { ...this.#row, removed: this.#row.removed + users };
      },
    });
    if (digest !== undefined) {
      this.#stage('storing');
      try {
        await portable.swapSlice(digest, signal);
      } catch (error) {
        const changed = codeOf(error) === 'EXCHANGE_REFUSED' && !wish.forget && !last;
        if (!changed || (await portable.journal(0, signal)).entries.length === 0) throw error;
        return false;
      }
    }
    await site.store.tasks.saveHeld(driver.name, table, site.now);
    this.#row = { ...this.#row, users: table.users.size };
    return true;
  }

  async #files(signal: AbortSignal): Promise<void> {
    const { ground, driver, portable, identity, task } = this.#parts;
    const before = this.#row.bytes;
    await bringFiles({
      ...{ site: ground.site, portable, terminal: driver.name, task, signal },
      memory: `${identity.serial} ${identity.log.epoch}`,
      total: (files, bytes) => {
        this.#stage('files');
        this.#meter.expect(files, bytes);
      },
      sent: (files, bytes) => {
        this.#row = { ...this.#row, bytes: before + bytes };
        this.#meter.set(files, bytes);
      },
    });
  }

  async #giveUp(thrown: unknown, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw thrown;
    const failure = isSliceGone(thrown) ? await this.#whyGone(thrown, signal) : thrown;
    const code = codeOf(failure);
    const cancelled = failure instanceof SyncCancelled;
    const final = cancelled || failure instanceof SyncFailure || code === undefined || FINAL.has(code);
    if (!final) throw failure;
    const reason = failure instanceof SyncFailure || cancelled ? failure.message : describe(failure);
    if (this.#parts.wish.mode === 'synchronise') await this.#parts.portable.dropSlice(signal);
    await this.#end(cancelled ? 'cancelled' : 'failed', { reason, by: cancelled ? failure.by : '' }, signal);
  }

  /** The operator has cancelled, or the terminal was greeted anew: then it is begun again, and goes on. */
  async #whyGone(thrown: unknown, signal: AbortSignal): Promise<SyncCancelled> {
    const { cancelled } = await this.#parts.portable.tell(this.#progress(''), signal);
    if (cancelled) return new SyncCancelled('operator');
    throw thrown;
  }

  /** Stored before the terminal is told: asked again for the same wish, the gateway knows that it is over. */
  async #end(
    state: Exclude<SyncState, 'running' | 'refused'>,
    why: { readonly reason: string; readonly by: string } | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const { site } = this.#parts.ground;
    const row = {
      ...this.#row,
      state,
      ended: site.now,
      ...(why === undefined ? {} : { reason: why.reason }),
    };
    site.publish(await site.store.tasks.saveSync(row, [endEvent(row, why?.by ?? '')]));
    this.#row = row;
    this.#meter.begin(state === 'done' ? 'done' : 'failed');
    this.#parts.moved();
    const { cancelled } = await this.#parts.portable.tell(this.#progress(why?.reason ?? ''), signal);
    // Where there was nothing to bring, the next table is still open: who cancels now would leave it so.
    if (cancelled && this.#parts.wish.mode === 'synchronise') await this.#parts.portable.dropSlice(signal);
  }

  #stage(stage: Measured['stage']): void {
    this.#meter.begin(stage);
    this.#parts.moved();
  }

  #progress(reason: string): SyncProgress {
    return { number: this.#parts.wish.number, ...this.#meter.now, reason };
  }

  /** A session that is over before the first tick costs the line nothing. */
  async #tick(signal: AbortSignal): Promise<void> {
    const { ground, driver, portable } = this.#parts;
    const { clock } = ground.site;
    const isOver = (): boolean => signal.aborted;
    const slow = (ground.baud(driver.name) ?? Infinity) < SLOW_BAUD;
    for (;;) {
      await pause(clock, slow ? TELL_SLOW_MS : TELL_MS, signal);
      if (isOver()) return;
      this.#parts.moved();
      try {
        const { cancelled } = await portable.tell(this.#progress(''), signal);
        if (cancelled && !this.#ending) this.cancel('operator');
      } catch {
        // Whatever the terminal does not answer, the work that is under way notices too, and says.
        if (isOver()) return;
      }
    }
  }
}

function isSliceGone(error: unknown): boolean {
  return error instanceof RefusedError && error.reason === 'no-such-slice';
}

function pause(clock: TaskGround['site']['clock'], ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      stop();
      signal.removeEventListener('abort', over);
      resolve();
    };
    const stop = clock.after(ms, over);
    if (signal.aborted) over();
    else signal.addEventListener('abort', over, { once: true });
  });
}

function endEvent(row: SyncRow, by: string): NewEvent {
  const { id: sync, task, terminal, ended = 0 } = row;
  const envelope = { time: ended, terminal } as const;
  if (row.state === 'cancelled') return { ...envelope, type: 'sync.cancelled', data: { sync, task, by } };
  if (row.state === 'failed')
    return { ...envelope, type: 'sync.failed', data: { sync, task, reason: row.reason ?? '' } };
  const { merged, conflicts, refused, users, downloaded, removed, bytes, began } = row;
  const counts = { merged, conflicts, refused, users, downloaded, removed, bytes };
  return { ...envelope, type: 'sync.done', data: { sync, task, ...counts, ms: ended - began } };
}
