import { codeOf, counted, describe } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import type { Identity, TerminalDriver } from '../terminals/driver.ts';
import { Latch } from './latch.ts';
import { LogReader } from './log-reader.ts';
import { pullDue } from './pull.ts';
import { pushDue } from './push.ts';
import { Recognising } from './recognising.ts';
import { restoreTrust } from './trust.ts';
import type { Site } from './site.ts';

/** The terminal or its line is away, which is told as such. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'LINE_CLOSED',
  'EXCHANGE_TIMEOUT',
  'EXCHANGE_REFUSED',
  'TERMINAL_OFFLINE',
]);

/** After a failure of any other kind than those that have a way of their own. */
const PAUSE_MS = 1_000;
/** A loop looks by itself this often, should a ring ever be missed. */
const LOOK_AGAIN_MS = 60_000;
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
  readonly #reader: LogReader;
  /** The log was read to its end since the terminal came online. */
  #caughtUp = false;
  /** It is back: what was given up meanwhile is due again, once nothing is under way any more. */
  #returned = false;
  /** Users were written or removed since the log was read for its own sake. */
  #wrote = false;
  /** What the ledger could not be told yet. */
  #unsettled: (() => Promise<void>) | undefined;
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
    this.#reader = new LogReader({
      ...{ site, driver, signal: this.#stop.signal },
      again: () => this.#logs.ring(),
      work: () => this.#work.ring(),
      taken: (records) => this.#recognising.named(records),
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
    const pause = await this.#reader.read(identity);
    if (pause > 0) this.#upToDate();
    return pause;
  }

  #upToDate(): void {
    if (!this.#caughtUp) this.#returned = true;
    // A terminal that is here all the time can come into doubt as well: as its session is renewed, or its clock set.
    if (!this.#caughtUp || this.#reader.doubt !== undefined) this.#work.ring();
    this.#caughtUp = true;
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
    if (this.#reader.calmInMs > 0) return this.#reader.calmInMs;
    if (await pullDue(this.#site, this.#driver, { capabilities: identity.capabilities, signal })) return 0;
    const { doubt, doubts } = this.#reader;
    // A push could overwrite what was changed there unseen.
    if (Recognising.isFor(this.#site, doubt)) {
      const asked = { capabilities: identity.capabilities, doubts, signal };
      if (await this.#recognising.look(this.#site, this.#driver, asked)) return 0;
    } else if (doubt !== undefined) {
      const stands = (): boolean => this.#reader.doubts === doubts;
      // What was compared is there, and goes all the same with an older state: only the log shows that.
      if (await restoreTrust(this.#site, this.#driver, { doubt, stands, signal })) this.#reader.trusted();
      return 0;
    }
    const pushed = await pushDue(this.#site, this.#driver, {
      capabilities: identity.capabilities,
      after: () => this.#reader.readTo,
      signal,
      wrote: () => this.#reader.wrote(),
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
      this.#reader.readOwn();
    }
    const due = await this.#site.store.nextDue(name, this.#site.now);
    return due === undefined ? LOOK_AGAIN_MS : Math.max(1, Math.min(due - this.#site.now, LOOK_AGAIN_MS));
  }
}
