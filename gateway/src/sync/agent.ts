import { codeOf, counted, describe } from '@whorl/protocol';
import type { ErrorCode, LogState } from '@whorl/protocol';
import type { Doubt, NewEvent } from '../events/catalogue.ts';
import type { LogPosition } from '../store/store.ts';
import type { Identity, LogPage, TerminalDriver } from '../terminals/driver.ts';
import { belongingAt } from './belonging.ts';
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
import { Latch } from './latch.ts';
import { logTaken } from './log-lines.ts';
import { pullDue } from './pull.ts';
import { pushDue } from './push.ts';
import { Recognising } from './recognising.ts';
import { restoreTrust } from './trust.ts';
import type { Site } from './site.ts';
import { isChangeThere, Storm } from './storm.ts';
import { Unseen } from './unseen.ts';

/** The terminal or its line is away, which is told as such. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'LINE_CLOSED',
  'EXCHANGE_TIMEOUT',
  'EXCHANGE_REFUSED',
  'TERMINAL_OFFLINE',
]);

/** After a failure of any other kind than those that have a way of their own. */
const PAUSE_MS = 1_000;
/** What a terminal logged of the gateway's own writes is read so long after the last of them. */
const OWN_LOGS_MS = 1_000;
/** A loop looks by itself this often, should a ring ever be missed. */
const LOOK_AGAIN_MS = 60_000;
/** A terminal calls for what is news; what it logged of the gateway's writes would be read in the middle of them. */
const LOGS_AGAIN_MS = 600_000;

/** Work for a terminal that is no everyday one. */
export type Duty = (driver: TerminalDriver, signal: AbortSignal) => Promise<boolean>;

/**
 * Works for one terminal: reads its logs as they come, fetches the users that they name, brings it what the ledger
 * says. Two loops, so that a long push never holds up the logs; both act only on what is stored, so that either may be
 * cut off anywhere.
 */
export class Agent {
  readonly #site: Site;
  readonly #driver: TerminalDriver;
  readonly #duty: Duty;
  readonly #logs: Latch;
  readonly #work: Latch;
  readonly #stop = new AbortController();
  #position: LogPosition = { epoch: 0, id: 0 };
  #serial = '';
  /** Why it is not known what the terminal holds. */
  #doubt: Doubt | undefined;
  #unseen: Unseen;
  /** Counts the reasons to doubt: one that comes while the terminal is compared needs another comparison. */
  #doubts = 0;
  readonly #clocks: ClockWatch;
  /** The greeting after which the record that was read last was seen to be still the same. */
  #logOf: Identity | undefined;
  /** The log was read to its end since the terminal came online. */
  #caughtUp = false;
  /** It is back: what was given up meanwhile is due again, once nothing is under way any more. */
  #returned = false;
  /** Users were written or removed since the log was read for its own sake. */
  #wrote = false;
  /** What the ledger could not be told yet. */
  #unsettled: (() => Promise<void>) | undefined;
  readonly #storm: Storm;
  readonly #recognising = new Recognising();
  /** Where the loops wait for the database. */
  readonly #held: readonly [Latch, Latch];
  #running: Promise<unknown> | undefined;

  /** @param duty what else is to be done for this terminal; says whether there was anything, and leaves when aborted */
  constructor(site: Site, driver: TerminalDriver, duty: Duty) {
    this.#site = site;
    this.#duty = duty;
    this.#driver = driver;
    this.#logs = new Latch(site.clock);
    this.#work = new Latch(site.clock);
    this.#storm = new Storm(site.clock);
    this.#unseen = new Unseen(site.stood(driver.name)?.unseen === true);
    this.#clocks = new ClockWatch({
      ...{ driver, clock: site.clock, signal: this.#stop.signal },
      onWrong: () => this.#logs.ring(),
      onFailure: (error) => this.#complain(error),
    });
    this.#held = [new Latch(site.clock), new Latch(site.clock)];
    site.trouble.onResume(() => {
      for (const held of this.#held) held.ring();
    });
    site.onWake(driver.name, () => {
      this.#work.ring();
    });
    driver.watch({
      online: (identity) => {
        this.#caughtUp = false;
        void this.#online(identity);
      },
      offline: (reason) => {
        // When it is back, all that was on its way is looked at again.
        this.#unsettled = undefined;
        site.log.warn({ terminal: driver.name }, `${driver.name}: offline: ${reason}`);
        void site.tell({ type: 'terminal.offline', time: site.now, terminal: driver.name, data: { reason } });
      },
      quarantined: (serial, reason) => {
        const data = { serial, reason };
        site.log.warn({ terminal: driver.name, serial }, `${driver.name}: in quarantine: ${reason}`);
        void site.tell({ type: 'terminal.quarantined', time: site.now, terminal: driver.name, data });
      },
      attention: () => {
        this.#logs.ring();
      },
    });
  }

  start(): void {
    const [logs, work] = this.#held;
    this.#running ??= Promise.all([
      this.#loop(this.#logs, logs, () => this.#readLogs()),
      this.#loop(this.#work, work, () => this.#workOff()),
    ]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    for (const latch of [this.#logs, this.#work, ...this.#held]) latch.ring();
    await this.#running;
  }

  #isStopping(): boolean {
    return this.#stop.signal.aborted;
  }

  async #online(identity: Identity): Promise<void> {
    const { log, clock } = this.#site;
    const name = this.#driver.name;
    log.info(
      { terminal: name, serial: identity.serial },
      `${name}: online: ${identity.model}, firmware ${identity.firmware}, serial ${identity.serial}, ${counted(identity.users, 'user')}`,
    );
    await this.#site.tell({
      type: 'terminal.online',
      time: clock.wallTime(),
      terminal: name,
      data: { serial: identity.serial, model: identity.model, firmware: identity.firmware },
    });
    this.#logs.ring();
  }

  /** @param held where it waits for the database: no terminal that calls cuts that short */
  async #loop(latch: Latch, held: Latch, step: () => Promise<number | undefined>): Promise<void> {
    let failures = 0;
    while (!this.#isStopping()) {
      let pause: number | undefined;
      try {
        pause = await step();
        failures = 0;
      } catch (error) {
        pause = PAUSE_MS;
        if (this.#isStopping()) return;
        if (this.#site.trouble.failed(error, { terminal: this.#driver.name, users: [] })) {
          failures += 1;
          await held.wait(this.#site.trouble.pauseMs(failures));
          continue;
        }
        this.#complain(error);
      }
      if (!this.#isStopping() && pause !== 0) await latch.wait(pause);
    }
  }

  #complain(error: unknown): void {
    const code = codeOf(error);
    if (code !== undefined && PASSING.has(code)) return;
    this.#site.log.error({ terminal: this.#driver.name, code }, `${this.#driver.name}: ${describe(error)}`);
  }

  /** @returns how long to wait for the next ring, 0 to go on at once */
  async #readLogs(): Promise<number> {
    const identity = this.#driver.identity;
    if (identity === undefined) return LOOK_AGAIN_MS;
    if (identity.serial !== this.#serial) await this.#settleIdentity(identity);
    await this.#checkClock(identity);
    if (this.#unseen.isDoubtful(identity)) await this.#raise('unseen', []);
    this.#unseen.greeted(identity);
    // Whoever puts an older state back restarts the terminal: what was read last is looked at again in each session.
    const after = this.#logOf === identity ? this.#position.id : sameUpTo(this.#position);
    let { page, shows } = await this.#unseen.read(() => this.#driver.logsAfter(after, this.#stop.signal));
    const anew = startsOver(this.#position, page);
    if (anew !== undefined) {
      await this.#startOver(anew, page.log);
      ({ page, shows } = await this.#unseen.read(() => this.#driver.logsAfter(0, this.#stop.signal)));
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
    if (page.more) return 0;
    this.#upToDate();
    return Math.min(LOGS_AGAIN_MS, this.#clocks.look(identity));
  }

  async #take(page: LogPage, showsAll: () => boolean): Promise<void> {
    const { store, settings } = this.#site;
    const terminal = this.#driver.name;
    const deleted = settings.restoreDeleted ? deletedAt(page) : [];
    const restored = await belongingAt(this.#site, terminal, deleted);
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
    if (shown && showsAll()) this.#unseen.shown();
    this.#position = intake.position;
    this.#doubt = intake.doubt;
    this.#recognising.named(page.records);
    if (events.some((event) => event.type === 'terminal.clock.wrong')) await this.#correctClock();
    this.#storm.add(events.filter(isChangeThere).length);
    logTaken(this.#site.log, terminal, events, this.#storm.calmInMs > 0);
    this.#site.publish(events);
    if (doubted || intake.pulls.length > 0 || intake.ledger.length > 0) this.#work.ring();
  }

  #upToDate(): void {
    if (!this.#caughtUp) this.#returned = true;
    // A terminal that is here all the time can come into doubt as well: as its session is renewed, or its clock set.
    if (!this.#caughtUp || this.#doubt !== undefined) this.#work.ring();
    this.#caughtUp = true;
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
    await this.#driver.setClock(this.#site.now, this.#stop.signal);
    this.#readOwnLogs();
  }

  /** What the terminal logged of our own writes is no news that it would call for, and can wait for those who push. */
  #readOwnLogs(): void {
    this.#site.clock.after(OWN_LOGS_MS, () => {
      this.#logs.ring();
    });
  }

  async #readmit(name: string): Promise<void> {
    this.#returned = false;
    try {
      await this.#site.store.readmit(name);
    } catch (error) {
      this.#returned = true;
      throw error;
    }
  }

  /** @returns how long to wait for the next ring, 0 to go on at once */
  async #workOff(): Promise<number> {
    const identity = this.#driver.identity;
    if (identity === undefined || !this.#caughtUp) return LOOK_AGAIN_MS;
    const name = this.#driver.name;
    const signal = this.#stop.signal;
    if (this.#unsettled !== undefined) {
      const settle = this.#unsettled;
      await settle();
      if (this.#unsettled === settle) this.#unsettled = undefined;
    }
    if (this.#returned) await this.#readmit(name);
    if (await this.#duty(this.#driver, signal)) return 0;
    // Nor is anything pushed: it could overwrite what was changed there and is yet to be fetched.
    const calmInMs = this.#storm.calmInMs;
    if (calmInMs > 0) return calmInMs;
    if (await pullDue(this.#site, this.#driver, { capabilities: identity.capabilities, signal })) return 0;
    const doubts = this.#doubts;
    // A push could overwrite what was changed there unseen.
    if (Recognising.isFor(this.#site, this.#doubt)) {
      const asked = { capabilities: identity.capabilities, doubts, signal };
      if (await this.#recognising.look(this.#site, this.#driver, asked)) return 0;
    } else if (this.#doubt !== undefined) {
      const stands = (): boolean => this.#doubts === doubts;
      // What was compared is there, and goes all the same with an older state: only the log shows that.
      if (await restoreTrust(this.#site, this.#driver, { doubt: this.#doubt, stands, signal }))
        this.#doubt = undefined;
      return 0;
    }
    const pushed = await pushDue(this.#site, this.#driver, {
      capabilities: identity.capabilities,
      after: () => this.#position.id,
      signal,
      wrote: () => this.#unseen.wrote(),
      unsettled: (settle) => {
        this.#unsettled = settle;
      },
    });
    if (pushed) {
      this.#wrote = true;
      return 0;
    }
    if (this.#wrote) {
      this.#wrote = false;
      this.#readOwnLogs();
    }
    const due = await this.#site.store.nextDue(name, this.#site.now);
    return due === undefined ? LOOK_AGAIN_MS : Math.max(1, Math.min(due - this.#site.now, LOOK_AGAIN_MS));
  }
}
