import { hash } from 'node:crypto';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore, restoreBackup, silentLog, startGateway } from '@whorl/gateway';
import type { Connection, Gateway, Store } from '@whorl/gateway';
import { IdentityFile } from '@whorl/gateway/sites/identity';
import { awaitsUsers, beginRun, openSites } from '@whorl/gateway/sites-service';
import type { SitesConfig } from '@whorl/gateway/settings/sites';
import type { SitesInstead, SitesService, SitesServiceParts } from '@whorl/gateway/sites-service';
import { seededRandom } from '@whorl/protocol';
import type { Random, VirtualClock } from '@whorl/protocol';
import type { SimulatedMachine } from '../../powerloss/machine.ts';
import { MortalGround } from './mortal.ts';
import type { Hall } from './hall.ts';

export const PASSWORD = 'correct horse battery';

/** argon2id costs tens of real milliseconds, which a virtual month has not. */
const quickDerive: NonNullable<SitesServiceParts['derive']> = async (password, salt) =>
  new Uint8Array(hash('sha256', Buffer.concat([Buffer.from(password), salt]), 'buffer'));

/** Where data lie on a simulated disk. */
const DATA = '/site/data';

export interface PremisesPlan {
  readonly name: string;
  readonly syncId: number;
  /** Where its data lie. */
  readonly directory: string;
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly wires: Pick<SitesInstead, 'satelliteWire' | 'masterWire'>;
  /** Whose disk its data lie on instead; it can lose power. */
  readonly machine?: SimulatedMachine | undefined;
  /** Emulated terminals on a virtual line; without, what terminals do is told to the gateway as if it had fetched it. */
  readonly hall?: Hall | undefined;
  /** Told when its process is gone. */
  readonly died: (premises: Premises) => void;
}

/** One run of a gateway's process. */
interface Running {
  readonly ground: MortalGround;
  readonly store: Store;
  readonly gateway: Gateway;
  readonly service: SitesService;
}

/** A gateway's machine: its data directory outlives what happens to the process. */
export class Premises {
  readonly plan: PremisesPlan;
  #running: Running | undefined;
  #starts = 0;

  constructor(plan: PremisesPlan) {
    this.plan = plan;
    mkdirSync(plan.directory, { recursive: true });
    if (plan.syncId > 1) writeFileSync(this.#passwordFile, PASSWORD, { mode: 0o600 });
  }

  get name(): string {
    return this.plan.name;
  }

  get isUp(): boolean {
    return this.#running?.ground.isAlive === true;
  }

  /** The present process. @throws Error while there is none */
  get now(): Running {
    if (this.#running === undefined) throw new Error(`${this.name} is not running`);
    return this.#running;
  }

  get database(): Connection {
    return this.now.ground.database;
  }

  get data(): string {
    return this.plan.machine === undefined ? join(this.plan.directory, 'data') : DATA;
  }

  /** Whether the master has ever given it a token. */
  get hasToken(): boolean {
    return new IdentityFile(this.data, this.#random()).load().token !== undefined;
  }

  get #passwordFile(): string {
    return join(this.plan.directory, 'password');
  }

  async start(): Promise<void> {
    const { name, syncId, clock, wires, hall, machine } = this.plan;
    // Whoever loses power while starting is looked at with the store alone.
    machine?.disk.losePowerAfter(Number.POSITIVE_INFINITY);
    if (machine?.disk.lost === true) machine.comeBack();
    const ground = new MortalGround(machine?.ground);
    if (machine !== undefined) machine.disk.onLost = () => ground.losePower();
    const random = this.#random();
    const store = openStore({ data: this.data, ground }, (length) => random.bytes(length));
    await hall?.pair(store);
    const config: SitesConfig =
      syncId === 1
        ? { role: 'master', syncId }
        : {
            role: 'satellite',
            syncId,
            master: { name: 'hq', url: 'mqtt://127.0.0.1:1', user: name, passwordFile: this.#passwordFile },
          };
    await beginRun(store, config, random);
    const about = { store, clock, random, log: silentLog };
    const gateway = await startGateway({
      ...about,
      awaits: await awaitsUsers(store, config),
      config: { name, lines: hall?.lines ?? [] },
      version: '0',
      ...(hall === undefined ? {} : { open: ({ name: line }) => hall.open(line) }),
    });
    const service = await openSites({
      ...{ config, name, site: gateway.site, data: this.data, clock, random, log: silentLog },
      status: () => gateway.operations.status(),
      derive: quickDerive,
      instead: { files: ground.files, ...this.#mortalWires(ground, wires) },
    });
    this.#running = { ground, store, gateway, service };
    ground.onDeath = () =>
      clock.after(0, () => {
        if (this.#running?.ground === ground) this.plan.died(this);
      });
    service.start(undefined);
  }

  /** Ends it as a service is ended, or tidies up behind one that was killed. */
  async stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    const { service, gateway, store, ground } = running;
    const ignored = (error: unknown): void => {
      if (ground.isAlive) throw error;
    };
    await service.stop().catch(ignored);
    await gateway.stop().catch(ignored);
    await store.close().catch(ignored);
    ground.onDeath = () => undefined;
    ground.die();
    this.#running = undefined;
  }

  /** SIGKILL. */
  kill(): void {
    this.#running?.ground.die();
  }

  /** Copies the data directory as it is, database, keys and identity. */
  copyTo(directory: string): void {
    mkdirSync(directory, { recursive: true });
    cpSync(this.data, join(directory, 'data'), { recursive: true });
  }

  /** @returns the file */
  async backUp(file: string): Promise<string> {
    await this.now.store.backups.make(file);
    return file;
  }

  /** While it is stopped: the backup takes the place of its database. */
  async restore(file: string): Promise<void> {
    await restoreBackup({ data: this.data, file, now: this.plan.clock.wallTime(), replace: true });
  }

  /** While it is stopped: a new disk. */
  loseDisk(): void {
    rmSync(this.data, { recursive: true, force: true });
  }

  #random(): Random {
    this.#starts += 1;
    return seededRandom(this.plan.seed * 1000 + this.#starts);
  }

  /** What a dead process says reaches nobody. */
  #mortalWires(
    ground: MortalGround,
    { satelliteWire, masterWire }: PremisesPlan['wires'],
  ): PremisesPlan['wires'] {
    return {
      satelliteWire: async (heard, signal) => {
        const wire = await satelliteWire((bytes) => {
          if (ground.isAlive) heard(bytes);
        }, signal);
        return {
          ...wire,
          send: async (bytes) => {
            if (ground.isAlive) await wire.send(bytes);
          },
        };
      },
      masterWire: (ears) => {
        const wire = masterWire({
          message: (from, bytes) => {
            if (ground.isAlive) ears.message(from, bytes);
          },
          presence: (from, online) => {
            if (ground.isAlive) ears.presence(from, online);
          },
        });
        return {
          send: async (to, bytes) => {
            if (ground.isAlive) await wire.send(to, bytes);
          },
        };
      },
    };
  }
}
