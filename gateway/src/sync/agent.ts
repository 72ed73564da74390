import { codeOf, describe } from '@whorl/protocol';
import type { LogPosition, PullRequest } from '../store/store.ts';
import type { Identity, TerminalDriver } from '../terminals/driver.ts';
import { intakeOf, startsOver } from './intake.ts';
import { Latch } from './latch.ts';
import { pushDue } from './push.ts';
import { MOST_ATTEMPTS, nextTryForEver } from './retry.ts';
import type { Site } from './site.ts';
import { mergePulled, showMerged } from './pulled.ts';

/** Rounds after a failure of the store: it is asked again, not hammered. */
const STORE_PAUSE_MS = 1_000;
/** What a terminal logged of the gateway's own writes is read so long after the last of them. */
const OWN_LOGS_MS = 1_000;
/** A loop looks by itself this often, should a ring ever be missed. */
const LOOK_AGAIN_MS = 60_000;

/**
 * Works for one terminal: reads its logs as they come, fetches the users that they name, brings it what the ledger
 * says. Two loops, so that a long push never holds up the logs; both act only on what is stored, so that either may be
 * cut off anywhere.
 */
export class Agent {
  readonly #site: Site;
  readonly #driver: TerminalDriver;
  readonly #logs: Latch;
  readonly #work: Latch;
  readonly #stop = new AbortController();
  #position: LogPosition = { epoch: 0, id: 0 };
  #serial = '';
  /** The log was read to its end since the terminal came online. */
  #caughtUp = false;
  /** Users were written or removed since the log was read for its own sake. */
  #wrote = false;
  #running: Promise<unknown> | undefined;

  constructor(site: Site, driver: TerminalDriver) {
    this.#site = site;
    this.#driver = driver;
    this.#logs = new Latch(site.clock);
    this.#work = new Latch(site.clock);
    site.onWake(driver.name, () => {
      this.#work.ring();
    });
    driver.watch({
      online: (identity) => {
        this.#caughtUp = false;
        void this.#online(identity);
      },
      offline: (reason) => {
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
    this.#running ??= Promise.all([
      this.#loop(this.#logs, () => this.#readLogs()),
      this.#loop(this.#work, () => this.#workOff()),
    ]);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#logs.ring();
    this.#work.ring();
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
      `${name}: online: ${identity.model}, firmware ${identity.firmware}, serial ${identity.serial}, ${identity.users} users`,
    );
    await this.#site.tell({
      type: 'terminal.online',
      time: clock.wallTime(),
      terminal: name,
      data: { serial: identity.serial, model: identity.model, firmware: identity.firmware },
    });
    this.#logs.ring();
  }

  async #loop(latch: Latch, step: () => Promise<number | undefined>): Promise<void> {
    while (!this.#isStopping()) {
      let pause: number | undefined;
      try {
        pause = await step();
      } catch (error) {
        pause = STORE_PAUSE_MS;
        if (!this.#isStopping()) this.#complain(error);
      }
      if (!this.#isStopping() && pause !== 0) await latch.wait(pause);
    }
  }

  #complain(error: unknown): void {
    const code = codeOf(error);
    if (code === 'LINE_CLOSED' || code === 'EXCHANGE_TIMEOUT' || code === 'EXCHANGE_REFUSED') return;
    this.#site.log.error({ terminal: this.#driver.name, code }, `${this.#driver.name}: ${describe(error)}`);
  }

  /** @returns how long to wait for the next ring, 0 to go on at once */
  async #readLogs(): Promise<number> {
    const identity = this.#driver.identity;
    if (identity === undefined) return LOOK_AGAIN_MS;
    if (identity.serial !== this.#serial) await this.#settleIdentity(identity);
    let page = await this.#driver.logsAfter(this.#position.id, this.#stop.signal);
    if (startsOver(this.#position, page)) {
      this.#position = { epoch: page.log.epoch, id: 0 };
      // It was reset, or its log was: what the ledger says of it is not to be trusted any more.
      await this.#site.store.resend(this.#driver.name);
      page = await this.#driver.logsAfter(0, this.#stop.signal);
    }
    if (page.records.length > 0) await this.#take(page);
    if (page.more) return 0;
    await this.#upToDate();
    return LOOK_AGAIN_MS;
  }

  async #take(page: Parameters<typeof intakeOf>[0]['page']): Promise<void> {
    const { store, settings, log } = this.#site;
    const terminal = this.#driver.name;
    const intake = intakeOf({
      terminal,
      serial: this.#serial,
      position: this.#position,
      page,
      settings,
      now: this.#site.now,
    });
    const events = await store.recordIntake(intake);
    this.#position = intake.position;
    for (const event of events) {
      const record = 'log' in event.data ? ` (log #${event.data.log})` : '';
      log.info(
        { terminal, user: event.user, type: event.type, origin: event.origin },
        `${terminal}: ${event.type}${event.user === undefined ? '' : `, user ${event.user}`}, by ${event.origin ?? 'terminal'}${record}`,
      );
    }
    this.#site.publish(events);
    if (intake.pulls.length > 0 || intake.ledger.length > 0) this.#work.ring();
  }

  async #upToDate(): Promise<void> {
    if (this.#caughtUp) return;
    await this.#site.store.readmit(this.#driver.name);
    this.#caughtUp = true;
    this.#work.ring();
  }

  /** The same terminal as before goes on where it was; another one is read from its first record. */
  async #settleIdentity(identity: Identity): Promise<void> {
    const name = this.#driver.name;
    const known = (await this.#site.store.terminals()).find((row) => row.name === name);
    const same = known?.serial === identity.serial;
    const position = same ? known.position : { epoch: identity.log.epoch, id: 0 };
    const events =
      known === undefined || same
        ? []
        : ([
            {
              type: 'terminal.changed',
              time: this.#site.now,
              terminal: name,
              data: { before: known.serial, serial: identity.serial },
            },
          ] as const);
    this.#site.publish(
      await this.#site.store.saveTerminal({ name, serial: identity.serial, position }, events),
    );
    // The one that was here before had everything; this one may have nothing.
    if (events.length > 0) await this.#site.store.resend(name);
    this.#position = position;
    this.#serial = identity.serial;
  }

  /** @returns how long to wait for the next ring, 0 to go on at once */
  async #workOff(): Promise<number> {
    const identity = this.#driver.identity;
    if (identity === undefined || !this.#caughtUp) return LOOK_AGAIN_MS;
    const name = this.#driver.name;
    const [pull] = await this.#site.store.duePulls(name, this.#site.now, 1);
    if (pull !== undefined) {
      await this.#pull(pull, identity);
      return 0;
    }
    const pushed = await pushDue(this.#site, this.#driver, {
      capabilities: identity.capabilities,
      after: () => this.#position.id,
      signal: this.#stop.signal,
    });
    if (pushed) {
      this.#wrote = true;
      return 0;
    }
    if (this.#wrote) {
      this.#wrote = false;
      // What the terminal logged of our own writes is no news that it would call for, and can wait for those who push.
      this.#site.clock.after(OWN_LOGS_MS, () => {
        this.#logs.ring();
      });
    }
    const due = await this.#site.store.nextDue(name, this.#site.now);
    return due === undefined ? LOOK_AGAIN_MS : Math.max(1, Math.min(due - this.#site.now, LOOK_AGAIN_MS));
  }

  async #pull(pull: PullRequest, identity: Identity): Promise<void> {
    const { log } = this.#site;
    const name = this.#driver.name;
    try {
      const { value, bytes, ms } = await this.#driver.pull(pull.user, this.#stop.signal);
      if (value === undefined) {
        await this.#site.store.postponePull(
          { user: pull.user, terminal: name, log: pull.log, attempts: pull.attempts },
          [],
        );
        log.info({ terminal: name, user: pull.user }, `${name}: user ${pull.user} is not there any more`);
        return;
      }
      log.info(
        { terminal: name, user: pull.user, bytes, ms: Math.round(ms) },
        `${name}: pulled user ${pull.user}, ${count(bytes)} bytes in ${Math.round(ms)} ms`,
      );
      const merged = await mergePulled(this.#site, pull, value, identity.capabilities);
      log.info(
        { terminal: name, user: pull.user },
        `user ${pull.user}: merged from ${name}: ${showMerged(merged)}`,
      );
    } catch (error) {
      if (this.#isStopping()) return;
      await this.#pullFailed(pull, error);
    }
  }

  /** A pull is never given up: the user is at that terminal only. */
  async #pullFailed(pull: PullRequest, error: unknown): Promise<void> {
    const attempts = pull.attempts + 1;
    const reason = describe(error);
    const told = attempts === 1 || attempts === MOST_ATTEMPTS;
    this.#site.log.warn(
      { terminal: pull.terminal, user: pull.user, attempts },
      `${pull.terminal}: user ${pull.user} could not be pulled: ${reason}`,
    );
    const next =
      this.#driver.identity === undefined ? this.#site.now : nextTryForEver(attempts, this.#site.now);
    this.#site.publish(
      await this.#site.store.postponePull(
        { user: pull.user, terminal: pull.terminal, log: pull.log, attempts, nextTry: next },
        told
          ? [
              {
                type: 'user.pull.failed',
                time: this.#site.now,
                terminal: pull.terminal,
                user: pull.user,
                data: { reason, attempts },
              },
            ]
          : [],
      ),
    );
  }
}

function count(bytes: number): string {
  return bytes.toLocaleString('en');
}
