import { hash } from 'node:crypto';
import { encodeField, FIELDS, recordOf, seededRandom, VirtualClock } from '@whorl/protocol';
import type { Capabilities, Random, UserRecord } from '@whorl/protocol';
import { EventHub } from '../../events/hub.ts';
import { silentLog } from '../../settings/log.ts';
import { DEFAULT_SITE_SYNC } from '../../settings/sites.ts';
import type { SiteSyncSettings } from '../../settings/sites.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { mergePulled } from '../../sync/pulled.ts';
import { Site } from '../../sync/site.ts';
import { changeUser } from '../../sync/users.ts';
import type { SitesGround } from '../ground.ts';
import { newIdentity } from '../identity.ts';
import type { Identity } from '../identity.ts';
import { SITES_PROTOCOL } from '../login-words.ts';
import { Master } from '../master.ts';
import { Satellite } from '../satellite.ts';
import { verifierOf } from '../secrets.ts';
import { Bus } from './bus.ts';

/** Of a terminal that can do everything. */
export const EVERYTHING: Capabilities = {
  ...{ users: 100_000, logs: 10_000, cards: 8, fingers: 10, faces: 5 },
  ...{ cardFormats: [1], fingerFormats: [1], faceFormats: [1], mtu: 1100, window: 1 },
  does: { patches: true, portable: false, clock: true },
  holds: { validity: true, pin: true, authMode: true, groups: true, photo: true },
};

/** argon2id costs tens of real milliseconds, which a virtual week has not. */
export const quickDerive: SitesGround['derive'] = async (password, salt) =>
  new Uint8Array(hash('sha256', Buffer.concat([Buffer.from(password), salt]), 'buffer'));

export const PASSWORD = 'correct horse battery';

/** A gateway without lines: its store and what people and terminals do there. */
export class Node {
  readonly name: string;
  readonly site: Site;
  readonly ground: SitesGround;

  constructor(world: World, name: string, store: Store, protocol = SITES_PROTOCOL) {
    const { clock, random } = world;
    this.name = name;
    const hub = new EventHub((error) => {
      throw error;
    });
    const places = [{ terminal: 'door-1', line: 'line-1', groups: [] }];
    this.site = new Site({ store, hub, clock, random, log: silentLog, places });
    this.ground = { site: this.site, name, version: '1', protocol, clock, random, derive: quickDerive };
  }

  get store(): Store {
    return this.site.store;
  }

  /** Somebody is changed at the gateway. */
  async edit(user: number, fields: Readonly<Record<number, Uint8Array>>): Promise<void> {
    await changeUser(this.site, user, (held) =>
      recordOf(user, new Map([...(held?.record.fields ?? []), ...entries(fields)])),
    );
  }

  async remove(user: number): Promise<void> {
    await changeUser(this.site, user, () => undefined);
  }

  /** Somebody is enrolled or edited at a terminal of this gateway, and fetched from there. */
  async enrol(
    user: number,
    fields: Readonly<Record<number, Uint8Array>>,
    terminal = 'door-1',
  ): Promise<void> {
    const held = await this.store.user(user);
    const there = Object.fromEntries(held?.record.fields ?? []);
    await this.enrolNew(user, { ...there, ...fields }, terminal);
  }

  /** The same where the terminal has nobody under this number. */
  async enrolNew(
    user: number,
    fields: Readonly<Record<number, Uint8Array>>,
    terminal = 'door-1',
  ): Promise<void> {
    const record = recordOf(user, new Map(entries(fields)));
    await mergePulled(this.site, { user, terminal, log: 1, changed: this.site.now }, record, EVERYTHING);
  }

  /** All users, as bytes, for comparing. */
  contents(): Promise<Record<number, string>> {
    return contentsOf(this.store);
  }
}

/** All users, as bytes, for comparing. */
export async function contentsOf(store: Pick<Store, 'users' | 'user'>): Promise<Record<number, string>> {
  const contents: Record<number, string> = {};
  for (const { id } of await store.users({ limit: 100_000 })) {
    const user = await store.user(id);
    if (user !== undefined) contents[id] = shown(user.record);
  }
  return contents;
}

/** Fields of a record, by number. */
export function entries(fields: Readonly<Record<number, Uint8Array>>): [number, Uint8Array][] {
  return Object.entries(fields).map(([number, value]) => [Number(number), value]);
}

function shown({ fields }: UserRecord): string {
  return [...fields].map(([number, value]) => `${number}:${Buffer.from(value).toString('base64')}`).join(' ');
}

export function named(name: string): Record<number, Uint8Array> {
  return { [FIELDS.name.number]: encodeField('name', name) };
}

export function carded(card: number): Record<number, Uint8Array> {
  return { [FIELDS['card.0'].number]: Uint8Array.of(1, card & 0xff, (card >> 8) & 0xff, 0) };
}

export function grouped(...groups: number[]): Record<number, Uint8Array> {
  return { [FIELDS.groups.number]: encodeField('groups', groups) };
}

/** A satellite that can be stopped and started. */
export class SatelliteNode extends Node {
  readonly syncId: number;
  identity: Identity;
  settings: SiteSyncSettings = { ...DEFAULT_SITE_SYNC, intervalMinutes: 5, continuous: false };
  password = PASSWORD;
  /** Of the day, by its clock on the wall. */
  minute = (): number => Math.floor(this.#world.clock.wallTime() / 60_000) % 1440;
  satellite: Satellite;
  readonly #world: World;

  constructor(world: World, it: { name: string; syncId: number; store: Store; identity?: Identity }) {
    super(world, it.name, it.store);
    this.#world = world;
    this.syncId = it.syncId;
    this.identity = it.identity ?? newIdentity(world.random);
    this.satellite = this.#make();
  }

  #make(): Satellite {
    const name = { master: 'hq', syncId: this.syncId, user: this.name };
    return new Satellite({
      ground: this.ground,
      name,
      verifier: () => verifierOf(quickDerive, this.password, name),
      open: this.#world.bus.wire(this.syncId),
      identity: {
        load: () => this.identity,
        save: (identity) => {
          this.identity = identity;
        },
      },
      host: `pc of ${this.name}`,
      settings: () => this.settings,
      minute: () => this.minute(),
      terminals: () => Promise.resolve([]),
    });
  }

  /** A satellite anew, as after a restart; nothing begins by itself. */
  renew(): void {
    this.satellite = this.#make();
  }

  async begin(): Promise<void> {
    await this.site.load();
    await this.store.sites.begin('satellite', hexOf(this.#world.random));
    this.satellite.start();
  }

  /** An exchange now. @returns the code that it failed with, if it did */
  async sync(options: { readonly release?: boolean } = {}): Promise<string | undefined> {
    return this.#world.during(this.satellite.syncNow(options));
  }
}

/** A master and its satellites on a bus, in virtual time. */
export class World {
  readonly clock = new VirtualClock();
  readonly random: Random;
  readonly bus: Bus;
  readonly satellites: SatelliteNode[] = [];
  readonly #open: Store[] = [];
  hq: Node;
  master: Master;

  private constructor(seed: number) {
    this.random = seededRandom(seed);
    this.bus = new Bus(this.clock, this.random);
    this.hq = new Node(this, 'hq', this.store());
    this.master = new Master(this.hq.ground);
  }

  static async open(seed = 1): Promise<World> {
    const world = new World(seed);
    await world.beginMaster();
    return world;
  }

  store(): Store {
    const store = openStore({ data: { memory: true } }, (length) => this.random.bytes(length));
    this.#open.push(store);
    return store;
  }

  /** The master on another store, as after a restart or a restored backup. */
  async replaceMaster(store: Store, protocol?: number): Promise<void> {
    this.hq = new Node(this, 'hq', store, protocol);
    this.master = new Master(this.hq.ground);
    await this.beginMaster();
  }

  async beginMaster(): Promise<void> {
    await this.hq.site.load();
    await this.hq.store.sites.begin('master', hexOf(this.random));
    await this.master.list.load();
    this.bus.ears = this.master;
    this.master.start(this.bus);
  }

  /** Adds a site to the list, and starts its gateway. */
  async add(
    name: string,
    it: { syncId?: number; groups?: readonly number[]; store?: Store; paused?: boolean } = {},
  ): Promise<SatelliteNode> {
    const syncId = it.syncId ?? this.satellites.length + 2;
    await this.master.list.add({
      ...{ syncId, name, url: '', user: name, password: PASSWORD },
      groups: it.groups,
    });
    const node = new SatelliteNode(this, { name, syncId, store: it.store ?? this.store() });
    this.satellites.push(node);
    if (it.paused === true) node.settings = { ...node.settings, intervalMinutes: 0 };
    await node.begin();
    return node;
  }

  /** Another machine in the place of one, on a fresh disk. */
  async replace({ name, syncId }: SatelliteNode): Promise<SatelliteNode> {
    const node = new SatelliteNode(this, { name, syncId, store: this.store() });
    await node.begin();
    return node;
  }

  /** Lets time pass until work is done. @returns the code that it failed with, if it did */
  async during(work: Promise<unknown>): Promise<string | undefined> {
    let outcome: { readonly code: string | undefined } | undefined;
    work.then(
      () => {
        outcome = { code: undefined };
      },
      (error: unknown) => {
        const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
        outcome = { code };
      },
    );
    await this.clock.run({ forMs: 3_600_000, done: () => outcome !== undefined });
    return outcome === undefined ? 'never ended' : outcome.code;
  }

  async pass(ms: number): Promise<void> {
    await this.clock.run({ forMs: ms });
  }

  async close(): Promise<void> {
    for (const { satellite } of this.satellites) await this.during(satellite.stop());
    for (const store of this.#open) await store.close();
  }
}

function hexOf(random: Random): string {
  return Buffer.from(random.bytes(8)).toString('hex');
}
