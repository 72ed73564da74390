import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Bus } from '@whorl/gateway/sites/testing/bus';
import type { MasterEars } from '@whorl/gateway/sites/wire';
import { codeOf, seededRandom, VirtualClock } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { SimulatedMachine } from '../../powerloss/machine.ts';
import { Hall } from './hall.ts';
import { PASSWORD, Premises } from './premises.ts';
import { scratchFolder } from '../../rig/scratch.ts';

const PATIENCE_MS = 3_600_000;
const MASTER = 1;

export interface CompanyPlan {
  readonly seed: number;
  readonly satellites: number;
  /** Satellites, from the first, whose terminals are emulated. */
  readonly halls: number;
  /** Whose data lie on a simulated disk that loses power, by sync id. */
  readonly powered?: number | undefined;
  /** Whether the broker lives in the master's process. */
  readonly embedded: boolean;
  /** Access groups that reach a site, by its number from 0; all users when absent. */
  readonly groupsOf: (index: number) => readonly number[] | undefined;
}

/** A master and its satellites in virtual time: the gateway's own code at both ends, a bus in a broker's place. */
export class Company {
  readonly clock = new VirtualClock();
  readonly plan: CompanyPlan;
  readonly bus: Bus;
  readonly master: Premises;
  readonly satellites: readonly Premises[];
  readonly directory: string;
  /** Whoever was killed and is not tidied up behind yet. */
  readonly #dying = new Set<Promise<void>>();
  #machines = 0;
  #brokerUp = true;

  private constructor(plan: CompanyPlan) {
    this.plan = plan;
    this.directory = scratchFolder('whorl-sites');
    this.bus = new Bus(this.clock, seededRandom(plan.seed + 7));
    this.master = this.premises('hq', MASTER);
    this.satellites = Array.from({ length: plan.satellites }, (_, index) =>
      this.premises(`site-${index + 2}`, index + 2, index < plan.halls),
    );
  }

  static async open(plan: CompanyPlan): Promise<Company> {
    const company = new Company(plan);
    await company.passing(company.begin(company.master));
    for (const [index, one] of company.satellites.entries()) {
      const { syncId } = one.plan;
      const groups = plan.groupsOf(index);
      await company.passing(
        company.master.now.service.operations.add({
          ...{ syncId, name: one.name, user: one.name, url: '', password: PASSWORD, groups },
        }),
      );
      await company.passing(company.begin(one));
    }
    return company;
  }

  /** @param hall whether its terminals are emulated */
  premises(name: string, syncId: number, hall = false, place = name): Premises {
    // A copy that drew the same as its original would name what it does by the same names.
    const seed = this.plan.seed * 10_000 + this.#machines;
    this.#machines += 1;
    const { clock } = this;
    return new Premises({
      ...{ name, syncId, clock, seed, directory: join(this.directory, place) },
      machine: syncId === this.plan.powered ? new SimulatedMachine({ seed }) : undefined,
      hall: hall ? new Hall(clock, seed, ['door-1', 'door-2', 'door-3', 'door-4', 'door-5']) : undefined,
      wires: { satelliteWire: this.#satelliteWire(syncId), masterWire: (ears) => this.#masterWire(ears) },
      died: (premises) => this.#tidy(premises),
    });
  }

  async begin(premises: Premises): Promise<void> {
    await this.#settled();
    await premises.start();
    if (premises === this.master) this.#announce();
  }

  /** An orderly end. */
  async end(premises: Premises): Promise<void> {
    if (premises === this.master) this.#masterGone();
    await premises.stop();
  }

  async kill(premises: Premises): Promise<void> {
    premises.kill();
    this.#tidy(premises);
    await this.#settled();
  }

  /** The broker ends, takes with it what is under way, and begins anew after a while. */
  restartBroker(awayMs: number): void {
    this.#brokerUp = false;
    this.bus.drop('the broker ends');
    this.clock.after(awayMs, () => {
      this.#brokerUp = true;
    });
  }

  /** Lets time pass while something goes on. @returns the code that it failed with, if it did */
  async tried(work: Promise<unknown>): Promise<string | undefined> {
    let outcome: { readonly code: string | undefined } | undefined;
    work.then(
      () => {
        outcome = { code: undefined };
      },
      (error: unknown) => {
        outcome = { code: codeOf(error) ?? String(error) };
      },
    );
    await this.clock.run({ forMs: PATIENCE_MS, done: () => outcome !== undefined });
    return outcome === undefined ? 'never ended' : outcome.code;
  }

  /** Lets time pass while something goes on. @throws what it failed with */
  async passing<T>(work: Promise<T>): Promise<T> {
    const code = await this.tried(work);
    if (code === 'never ended') throw new Error('never ended');
    return work;
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ forMs: ms });
  }

  async close(): Promise<void> {
    for (const one of [...this.satellites, this.master]) await this.tried(one.stop());
    rmSync(this.directory, { recursive: true, force: true });
  }

  random(more: number): Random {
    return seededRandom(this.plan.seed * 31 + more);
  }

  #satelliteWire(syncId: number): ReturnType<Bus['wire']> {
    const wire = this.bus.wire(syncId);
    return async (heard, signal) => {
      if (!this.#brokerUp || (this.plan.embedded && !this.master.isUp)) throw new Error('no broker');
      return wire(heard, signal);
    };
  }

  #masterWire(ears: MasterEars): Bus {
    this.bus.ears = ears;
    return this.bus;
  }

  /** What the broker keeps of who is there. */
  #announce(): void {
    for (const syncId of this.bus.present) this.bus.ears?.presence(syncId, true);
  }

  #masterGone(): void {
    this.bus.ears = undefined;
    if (this.plan.embedded) this.bus.drop('the broker ends');
  }

  #tidy(premises: Premises): void {
    if (premises === this.master) this.#masterGone();
    else this.bus.hangUp(premises.plan.syncId);
    const work = premises.stop().finally(() => this.#dying.delete(work));
    this.#dying.add(work);
  }

  async #settled(): Promise<void> {
    await Promise.all(this.#dying);
  }
}
