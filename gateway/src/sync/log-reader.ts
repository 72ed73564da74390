import type { LogRecord, LogState } from '@whorl/protocol';
import type { Doubt, NewEvent } from '../events/catalogue.ts';
import type { LogPosition } from '../store/store.ts';
import type { Identity, LogPage, TerminalDriver } from '../terminals/driver.ts';
import { ClockWatch } from './clock-watch.ts';
import {
  clockEvent,
  GAP_REASONS,
  graver,
  isReasonToDoubt,
  newcomer,
  pageBehind,
  sameUpTo,
  startsOver,
} from './doubts.ts';
import { deletedAt, intakeOf } from './intake.ts';
import { gettingBack } from './gone.ts';
import { logTaken } from './log-lines.ts';
import { releaseTaken } from './taken.ts';
import type { Site } from './site.ts';
import { isChangeThere, Storm } from './storm.ts';
import { Unseen } from './unseen.ts';

/** A terminal calls for what is news; what it logged of the gateway's writes would be read in the middle of them. */
const AGAIN_MS = 600_000;
/** What a terminal logged of the gateway's own writes is read so long after the last of them. */
const OWN_LOGS_MS = 1_000;

export interface LogReaderParts {
  readonly site: Site;
  readonly driver: TerminalDriver;
  readonly signal: AbortSignal;
  /** The log is to be read again. */
  readonly again: () => void;
  /** What was read makes work. */
  readonly work: () => void;
  /** So much was read and is stored. */
  readonly taken: (records: readonly LogRecord[]) => void;
  /** The clock could not be read, which nobody waits for. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Reads a terminal's log, and knows from it how far what the terminal holds can be trusted. Each page is stored with all
 * that follows from it before the next one is read.
 */
export class LogReader {
  readonly #parts: LogReaderParts;
  readonly #site: Site;
  readonly #driver: TerminalDriver;
  #serial = '';
  #position: LogPosition = { epoch: 0, id: 0 };
  /** Why it is not known what the terminal holds. */
  #doubt: Doubt | undefined;
  /** Counts the reasons to doubt: one that comes while the terminal is compared needs another comparison. */
  #doubts = 0;
  readonly #unseen: Unseen;
  readonly #clocks: ClockWatch;
  readonly #storm: Storm;
  /** The greeting after which the record that was read last was seen to be still the same. */
  #logOf: Identity | undefined;

  constructor(parts: LogReaderParts) {
    const { site, driver, signal, again, onFailure } = parts;
    this.#parts = parts;
    this.#site = site;
    this.#driver = driver;
    this.#unseen = new Unseen(site.stood(driver.name)?.unseen === true);
    this.#clocks = new ClockWatch({ driver, clock: site.clock, signal, onWrong: again, onFailure });
    this.#storm = new Storm(site.clock);
  }

  /** Id of the record that was read last. */
  get readTo(): number {
    return this.#position.id;
  }

  get doubt(): Doubt | undefined {
    return this.#doubt;
  }

  /** Another number than before: there was another reason to doubt. */
  get doubts(): number {
    return this.#doubts;
  }

  /** Milliseconds until a storm of changes is over; 0 when there is none. */
  get calmInMs(): number {
    return this.#storm.calmInMs;
  }

  /** It is stored that what the terminal holds is known again. */
  trusted(): void {
    this.#doubt = undefined;
  }

  /** Something is written to the terminal. To be told before the ledger is. */
  wrote(): void {
    this.#unseen.wrote();
  }

  /**
   * Reads a page.
   * @returns milliseconds until the next look, 0 when there is more to be read
   * @throws WhorlError TERMINAL_OFFLINE, EXCHANGE_*, LINE_CLOSED, ABORTED, STORE_*
   */
  async read(identity: Identity): Promise<number> {
    if (identity.serial !== this.#serial) await this.#settleIdentity(identity);
    await this.#checkClock(identity);
    if (this.#unseen.isDoubtful(identity)) await this.#raise('unseen', []);
    this.#unseen.greeted(identity);
    // Whoever puts an older state back restarts the terminal: what was read last is looked at again in each session.
    const after = this.#logOf === identity ? this.#position.id : sameUpTo(this.#position);
    let { page, shows } = await this.#unseen.read(() => this.#driver.logsAfter(after, this.#parts.signal));
    const anew = startsOver(this.#position, page);
    if (anew !== undefined) {
      await this.#startOver(anew, page.log);
      ({ page, shows } = await this.#unseen.read(() => this.#driver.logsAfter(0, this.#parts.signal)));
    }
    page = pageBehind(this.#position, page);
    // Read in a session that began meanwhile, of which what was written may be gone: that is looked at first.
    if (this.#driver.identity !== identity) return 0;
    this.#logOf = identity;
    // A page may have room for no more than what was read last.
    if (page.records.length > 0 || (!page.more && page.log.last > this.#position.id)) {
      const take = (): Promise<void> => this.#take(page, shows);
      await (this.#storm.calmInMs > 0 ? this.#site.storms.through(take) : take());
    }
    return page.more ? 0 : Math.min(AGAIN_MS, this.#clocks.look(identity));
  }

  /** What the terminal logged of our own writes is no news that it would call for, and can wait for those who push. */
  readOwn(): void {
    this.#site.clock.after(OWN_LOGS_MS, () => {
      this.#parts.again();
    });
  }

  async #take(page: LogPage, showsAll: () => boolean): Promise<void> {
    const { store, settings } = this.#site;
    const terminal = this.#driver.name;
    const restored = await gettingBack(this.#site, terminal, deletedAt(page));
    const intake = intakeOf({
      terminal,
      serial: this.#serial,
      position: this.#position,
      doubt: this.#doubt,
      page,
      settings,
      restored,
      portable: this.#site.isPortable(terminal),
      now: this.#site.now,
    });
    const doubted = intake.doubt !== undefined && intake.events.some(isReasonToDoubt);
    if (doubted) this.#doubts += 1;
    const users = intake.pulls.map(({ user }) => user);
    const shown = showsAll();
    const events = await this.#site.trouble.saving({ terminal, users }, () =>
      store.recordIntake(shown ? { ...intake, shown } : intake),
    );
    // The setting has changed while this was stored.
    if (intake.untaken === true) await releaseTaken(this.#site, this.#site.settings.autoSync);
    if (shown && showsAll()) this.#unseen.shown();
    this.#position = intake.position;
    this.#doubt = intake.doubt;
    this.#parts.taken(page.records);
    if (events.some((event) => event.type === 'terminal.clock.wrong')) await this.#correctClock();
    this.#storm.add(events.filter(isChangeThere).length);
    logTaken(this.#site.log, terminal, events, this.#storm.calmInMs > 0);
    this.#site.publish(events);
    if (doubted || intake.pulls.length > 0 || intake.ledger.length > 0) this.#parts.work();
  }

  /** The same terminal as before goes on where it was; another one is read from its first record. */
  async #settleIdentity(identity: Identity): Promise<void> {
    const name = this.#driver.name;
    const known =
      this.#serial === ''
        ? this.#site.stood(name)
        : { serial: this.#serial, position: this.#position, doubt: this.#doubt };
    const same = known?.serial === identity.serial;
    const position = same ? known.position : { epoch: identity.log.epoch, id: 0 };
    // The one that was here before had everything; this one may have nothing.
    const found = same ? known.doubt : known === undefined ? newcomer(identity) : 'replaced';
    const doubt = this.#doubted(found);
    const data = { before: known?.serial ?? '', serial: identity.serial };
    const changed = { type: 'terminal.changed', time: this.#site.now, terminal: name, data } as const;
    this.#site.publish(
      await this.#site.store.saveTerminal(
        { name, serial: identity.serial, position, ...(doubt === undefined ? {} : { doubt }) },
        found === 'replaced' && !same ? [changed] : [],
      ),
    );
    this.#doubt = doubt;
    this.#position = position;
    this.#serial = identity.serial;
  }

  /** What a portable terminal holds is looked at in each of its sync sessions. */
  #doubted(doubt: Doubt | undefined): Doubt | undefined {
    return this.#site.isPortable(this.#driver.name) ? undefined : doubt;
  }

  /** The log is another one than before: what is left of it is read from its first record. */
  async #startOver(cause: 'reset' | 'backwards', log: LogState): Promise<void> {
    const { store, now } = this.#site;
    const name = this.#driver.name;
    const position = { epoch: log.epoch, id: 0 };
    const doubt = this.#doubted(graver(this.#doubt, cause));
    const data = { cause, after: this.#position.id, first: log.first, reason: GAP_REASONS[cause] };
    this.#doubts += 1;
    const told = { type: 'terminal.log.gap', time: now, terminal: name, data } as const;
    this.#site.publish(
      await store.saveTerminal({ name, serial: this.#serial, position, ...(doubt && { doubt }) }, [told]),
    );
    this.#position = position;
    this.#doubt = doubt;
  }

  /** A clock that is wrong is set; what the terminal did meanwhile is looked at. */
  async #checkClock(identity: Identity): Promise<void> {
    const off = this.#clocks.offOf(identity);
    if (off !== undefined) await this.#setClock(off);
    this.#clocks.settled(identity);
  }

  async #setClock(off: number): Promise<void> {
    const { name } = this.#driver;
    await this.#raise('clock', this.#doubt === 'clock' ? [] : [clockEvent(name, off, this.#site.now)]);
    await this.#correctClock();
  }

  async #raise(cause: Doubt, told: readonly NewEvent[]): Promise<void> {
    const doubt = this.#doubted(graver(this.#doubt, cause));
    const row = { name: this.#driver.name, serial: this.#serial, position: this.#position };
    this.#doubts += 1;
    this.#site.publish(await this.#site.store.saveTerminal({ ...row, ...(doubt && { doubt }) }, told));
    this.#doubt = doubt;
  }

  async #correctClock(): Promise<void> {
    await this.#driver.setClock(this.#site.now, this.#parts.signal);
    this.readOwn();
  }
}
