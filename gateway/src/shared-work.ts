import { codeOf, describe } from '@whorl/protocol';
import type { Cancel, Clock } from '@whorl/protocol';
import { Relay } from './relay.ts';
import type { Gateway } from './gateway.ts';
import type { HttpFace } from './http/face.ts';
import type { Membership } from './store/members.ts';
import { startWork } from './work.ts';
import type { Work, WorkParts } from './work.ts';

/** So often each process looks how the others stand: as long it takes until what one that died had is taken over. */
const LOOK_MS = 1_000;
/** What others write in close succession is looked at together. */
const GATHER_MS = 50;
/** After the connection was lost, as all are when a server restarts, whoever had the house is let in first. */
const MODEST_LOOKS = 4;

type Parts = Omit<WorkParts, 'elsewhere'>;

/**
 * One of several processes on one database. One has the house: lines, terminals, jobs, backups, northbound MQTT. Each
 * speaks with its part of the satellites and answers the API. What a process has is held by its connection to the
 * database; when that ends, another one takes it.
 */
export class SharedWork implements Work {
  readonly #parts: Parts;
  readonly #clock: Clock;
  readonly #lost: (error: unknown) => void;
  #work: Work | undefined;
  #relay: Relay | undefined;
  #membership: Membership;
  #hasHouse = false;
  #modest = 0;
  #cancel: Cancel = () => undefined;
  #cancelNews: Cancel | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  readonly #unwatch: () => void;

  private constructor(
    parts: Parts,
    clock: Clock,
    { membership, lost }: { membership: Membership; lost: (error: unknown) => void },
  ) {
    this.#parts = parts;
    this.#clock = clock;
    this.#membership = membership;
    this.#lost = lost;
    this.#unwatch = parts.store.members.watch(() => {
      this.#news();
    });
  }

  /**
   * @param lost told once this process had the house and has it no more, or could not begin to: it is to end then
   * @throws as {@link startWork}
   */
  static async start(parts: Parts, clock: Clock, lost: (error: unknown) => void): Promise<SharedWork> {
    const membership = await parts.store.members.membership();
    if (membership === undefined) throw new Error('the database is not shared');
    const shared = new SharedWork(parts, clock, { membership, lost });
    await shared.#begin(membership.house === membership.name);
    await shared.#settle(membership);
    shared.#lookLater();
    return shared;
  }

  get gateway(): Gateway {
    return this.#at.gateway;
  }

  get http(): HttpFace {
    return this.#at.http;
  }

  get sites(): Work['sites'] {
    return this.#at.sites;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch();
    this.#cancel();
    this.#cancelNews?.();
    await this.#looking;
    await this.#work?.stop();
  }

  get #at(): Work {
    if (this.#work === undefined) throw new Error('the gateway changes what it does');
    return this.#work;
  }

  async #begin(house: boolean): Promise<void> {
    const { log, store } = this.#parts;
    const { name } = this.#membership;
    log.info({ member: name }, house ? `${name} has the house` : `${name} stands by; ${this.#house()}`);
    const elsewhere = house ? undefined : () => this.#house();
    this.#work = await startWork({ ...this.#parts, elsewhere });
    this.#hasHouse = house;
    const { hub } = this.#work.gateway;
    this.#relay = await Relay.open({ store, hub, log });
  }

  /** Who has it, for people. */
  #house(): string {
    const { house } = this.#membership;
    return house === undefined ? 'nobody has the house at this moment' : `${house} has the house`;
  }

  #lookLater(): void {
    if (this.#stopped) return;
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      this.#looking = this.#look().finally(() => {
        this.#lookLater();
      });
    });
  }

  async #look(): Promise<void> {
    const { store, log } = this.#parts;
    try {
      const membership = await store.members.membership();
      if (membership === undefined || this.#stopped) return;
      if (membership.connection !== this.#membership.connection) this.#modest = MODEST_LOOKS;
      const fresh = membership.connection !== this.#membership.connection;
      this.#membership = membership;
      if (fresh) await this.#refresh();
      if (!this.#hasHouse && membership.house === undefined) await this.#mayTakeHouse();
      await this.#settle(this.#membership);
    } catch (error) {
      // Whoever is without its lock must not go on: the connection lets nothing through any more.
      if (this.#hasHouse && codeOf(error) === 'STORE_BUSY') this.#lost(error);
      else log.warn({ code: codeOf(error) }, `the other processes are not seen: ${describe(error)}`);
    }
  }

  async #mayTakeHouse(): Promise<void> {
    if (this.#modest > 0) {
      this.#modest -= 1;
      return;
    }
    const { store } = this.#parts;
    if (!(await store.members.takeHouse())) return;
    try {
      await this.#work?.stop();
      await this.#begin(true);
    } catch (error) {
      this.#lost(error);
    }
  }

  async #settle(membership: Membership): Promise<void> {
    await this.#work?.sites.settle(membership);
  }

  #news(): void {
    this.#cancelNews ??= this.#clock.after(GATHER_MS, () => {
      this.#cancelNews = undefined;
      this.#refresh().catch((error: unknown) => {
        this.#parts.log.warn({}, `what another process wrote is not seen: ${describe(error)}`);
      });
    });
  }

  async #refresh(): Promise<void> {
    this.#relay?.look();
    await this.#work?.gateway.refresh();
  }
}
