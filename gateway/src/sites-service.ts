import { hostname } from 'node:os';
import { describe } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';
import { checkPassword, deriveKey, hashPassword, isPassword } from './access/password.ts';
import type { MqttFace } from './mqtt/face.ts';
import { readPassword } from './mqtt/password.ts';
import { readSecretFile } from './settings/secret-file.ts';
import { brokerProbe } from './mqtt/probe-broker.ts';
import type { BrokerSites } from './mqtt/site-gate.ts';
import { MasterLink, satelliteWire } from './mqtt/site-links.ts';
import { brokerWire } from './mqtt/ways.ts';
import type { Log } from './settings/log.ts';
import type { ExternalBroker } from './settings/mqtt.ts';
import { MASTER_ID } from './settings/sites.ts';
import type { MasterPlace, SitesConfig } from './settings/sites.ts';
import { VERSION } from './settings/version.ts';
import { SitesDesk } from './sites/desk.ts';
import { isWalked } from './sites/history.ts';
import { facing } from './sites/face.ts';
import type { SitesFace } from './sites/face.ts';
import type { SitesGround } from './sites/ground.ts';
import { IdentityFile } from './sites/identity.ts';
import { SitesLock } from './sites/lock.ts';
import { SITES_PROTOCOL } from './sites/login-words.ts';
import { Master } from './sites/master.ts';
import type { SiteState } from './sites/seat.ts';
import type { SitesOperations } from './sites/operations.ts';
import { Satellite } from './sites/satellite.ts';
import { Shares } from './sites/shares.ts';
import { SiteStates } from './sites/states.ts';
import type { Summary } from './sites/requests.ts';
import { brokerPassword, keptVerifier } from './sites/secrets.ts';
import type { SiteName } from './sites/secrets.ts';
import type { MasterEars, MasterWire, OpenSatelliteWire } from './sites/wire.ts';
import type { Files } from './store/ground.ts';
import type { Store } from './store/store.ts';
import type { Membership } from './store/members.ts';
import type { GatewayStatus } from './sync/operations.ts';
import type { Site } from './sync/site.ts';

/** Events that begin so tell of what goes down to satellites. */
const NEWS = ['user.', 'conflict.', 'settings.changed', 'task.'];
/** Changes that come one after the other are told of together. */
const NEWS_MS = 300;
const RUN_BYTES = 8;

export interface SitesServiceParts {
  readonly config: SitesConfig;
  /** The broker that the master uses, when it is not its own. */
  readonly external?: ExternalBroker | undefined;
  /** Name of this gateway. */
  readonly name: string;
  readonly site: Site;
  /** Data directory. */
  readonly data: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly status: () => Promise<Pick<GatewayStatus, 'terminals'>>;
  /** Name of this process among several masters that share a database. */
  readonly member?: string | undefined;
  /** What stands in for argon2id, which costs tens of milliseconds. */
  readonly derive?: SitesGround['derive'] | undefined;
  /** What stands in for brokers and for this machine, in simulation. */
  readonly instead?: SitesInstead;
}

/** What a simulation hands in. */
export interface SitesInstead {
  /** Where the identity is kept. */
  readonly files: Files;
  readonly satelliteWire: OpenSatelliteWire;
  readonly masterWire: (ears: MasterEars) => MasterWire;
}

/** Master or satellite at work; a standalone gateway has it as well, and it does nothing there. */
export interface SitesService {
  readonly operations: SitesOperations;
  /** The same for people and programs, with the settings behind the lock. */
  readonly face: SitesFace;
  /** Whom the embedded broker lets in. */
  readonly broker: BrokerSites | undefined;
  /** Begins to speak with the others. @param mqtt of a master */
  start(mqtt: Pick<MqttFace, 'way'> | undefined): void;
  /** One of several masters: takes and leaves satellites as all of them stand now. @throws WhorlError STORE_* */
  settle(membership: Membership): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Begins a run of the logs. Before the gateway does anything else: what it did in a run of before would be taken for what
 * others have of that run already, after a backup was restored.
 * @throws WhorlError STORE_*
 */
export function beginRun(store: Store, { role }: Pick<SitesConfig, 'role'>, random: Random): Promise<void> {
  return store.sites.begin(role, Buffer.from(random.bytes(RUN_BYTES)).toString('hex'));
}

/**
 * Whether users are still to come from a master before this gateway has all that belong to it; to be asked after
 * {@link beginRun}.
 * @throws WhorlError STORE_*
 */
export async function awaitsUsers(store: Store, { role }: Pick<SitesConfig, 'role'>): Promise<boolean> {
  return role === 'satellite' && !isWalked(await store.sites.cursor(MASTER_ID, 'walk'));
}

/**
 * To be called after {@link beginRun}.
 * @throws WhorlError STORE_*, SITES_IDENTITY, SITES_PASSWORD_FILE, MQTT_PASSWORD, MQTT_TLS
 */
export async function openSites(parts: SitesServiceParts): Promise<SitesService> {
  const { site, clock, random, name, config } = parts;
  const derive = parts.derive ?? deriveKey;
  const about = { version: VERSION, protocol: SITES_PROTOCOL };
  const ground: SitesGround = { site, name, ...about, clock, random, derive };
  const work = await openRole(parts, ground);
  const lock = new SitesLock(ground, { make: (code) => hashPassword(code, random), is: isPassword });
  return {
    ...work,
    face: facing(work.operations, lock, config.role !== 'standalone'),
    stop: async () => {
      lock.stop();
      await work.stop();
    },
  };
}

type RoleService = Omit<SitesService, 'face'>;

async function openRole(parts: SitesServiceParts, ground: SitesGround): Promise<RoleService> {
  const { config } = parts;
  const { role } = config;
  if (role === 'master') return openMaster(parts, ground);
  if (config.master !== undefined && config.syncId !== undefined)
    return openSatellite(parts, ground, { above: config.master, syncId: config.syncId });
  const nobody = {
    ...{ ground, role, checkPassword },
    above: undefined,
    master: undefined,
    syncId: undefined,
  };
  return {
    operations: new SitesDesk(nobody),
    broker: undefined,
    start: () => undefined,
    settle: () => Promise.resolve(),
    stop: () => Promise.resolve(),
  };
}

async function openMaster(parts: SitesServiceParts, ground: SitesGround): Promise<RoleService> {
  const { name, clock, log, site, member, external } = parts;
  let link: MasterLink | undefined;
  const shares =
    member === undefined
      ? undefined
      : new Shares({
          ...{ store: site.store.members, log },
          list: () => master.list.all.map(({ syncId }) => syncId),
          busy: (syncId) => master.busy(syncId),
          taken: async (syncId) => {
            await link?.attend(syncId);
            const site = master.list.get(syncId);
            await master.welcome(syncId, site && (await states.of(site)));
          },
          left: (syncId) => {
            link?.leave(syncId);
            master.part(syncId);
          },
        });
  const states = new SiteStates(site.store, log);
  const holds = (syncId: number): boolean => shares?.holds(syncId) !== false;
  const keep = (syncId: number, state: SiteState): void => {
    const site = master.list.get(syncId);
    if (site !== undefined) states.keep(site, state);
  };
  const master: Master = new Master(ground, shares && { holds, keep });
  await master.list.load();
  const desk = new SitesDesk({
    ...{ ground, role: 'master', syncId: MASTER_ID, above: undefined, master, checkPassword },
    ...(shares === undefined ? {} : { shares, states }),
    account: external && (() => ({ user: external.user, password: readPassword(external.passwordFile) })),
  });
  const news = later(clock, () => {
    void master.tellNews().catch(() => undefined);
  });
  const unsubscribe = site.hub.subscribe(({ type }) => {
    if (NEWS.some((one) => type.startsWith(one))) news();
    if (shares !== undefined && LISTED.includes(type)) relist(master, log);
  });
  return {
    operations: desk,
    broker: {
      master: name,
      of: (user) => {
        const found = master.list.all.find((one) => one.user === user);
        return found && { syncId: found.syncId, password: brokerPassword(found.verifier) };
      },
      refused: (syncId, code, who) => master.turnedAway(syncId, code, who),
    },
    start: (mqtt) => {
      if (parts.instead !== undefined) master.start(parts.instead.masterWire(master));
      if (mqtt === undefined) return;
      const part = shares && member !== undefined ? { name: member, sites: () => shares.all } : undefined;
      const sites = (): number[] => master.list.all.map(({ syncId }) => syncId);
      link = new MasterLink({ master: name, way: mqtt.way, sites, ears: master, clock, log, part });
      master.start(link);
      link.start();
    },
    settle: async (membership) => shares?.settle(membership),
    stop: async () => {
      unsubscribe();
      await shares?.end();
      master.stop();
      await link?.stop();
    },
  };
}

/** Of the list of sites, which another process may have changed. */
const LISTED: readonly string[] = ['site.added', 'site.changed', 'site.removed', 'site.reset'];

/** Whoever was bound to a row that is another one now has to log in again. */
function relist(master: Master, log: Log): void {
  const { list } = master;
  const before = new Map(list.all.map((site) => [site.syncId, site.binding?.hardware]));
  list.reload().then(
    () => {
      for (const [syncId, hardware] of before)
        if (list.get(syncId)?.binding?.hardware !== hardware) master.part(syncId);
    },
    (error: unknown) => {
      log.warn({}, `the list of sites could not be read again: ${describe(error)}`);
    },
  );
}

async function openSatellite(
  parts: SitesServiceParts,
  ground: SitesGround,
  { above, syncId }: { readonly above: MasterPlace; readonly syncId: number },
): Promise<RoleService> {
  const { clock, random, data, site, instead } = parts;
  const { derive } = ground;
  const name: SiteName = { master: above.name, syncId, user: above.user };
  // Told at the start rather than in a log nobody reads; later it is read again for each connection.
  const password = (): string => readSecretFile(above.passwordFile, 'SITES_PASSWORD_FILE');
  password();
  const kept = keptVerifier(derive, name);
  const verifier = (): Promise<Uint8Array> => kept(password());
  const wire = brokerWire(above.url, above.ca);
  const desk = new SitesDesk({
    ...{ ground, role: 'satellite', syncId, master: undefined, checkPassword },
    above: {
      name: above.name,
      url: above.url,
      satellite: () => satellite,
      way: brokerProbe(clock, above),
    },
  });
  await desk.load();
  const satellite: Satellite = new Satellite({
    ...{ ground, name, verifier, host: hostname(), identity: new IdentityFile(data, random, instead?.files) },
    open:
      instead?.satelliteWire ??
      satelliteWire({
        ...{ master: above.name, syncId, clock, process: Buffer.from(random.bytes(4)).toString('hex') },
        way: async () => ({ wire, login: { user: above.user, password: brokerPassword(await verifier()) } }),
      }),
    settings: () => desk.settings,
    minute: () => {
      const now = new Date(clock.wallTime());
      return now.getHours() * 60 + now.getMinutes();
    },
    terminals: async () => terminalsOf(await parts.status()),
  });
  const unsubscribe = site.hub.subscribe(({ type }) => {
    if (!type.startsWith('site.')) satellite.changed();
  });
  return {
    operations: desk,
    broker: undefined,
    settle: () => Promise.resolve(),
    start: () => satellite.start(),
    stop: async () => {
      unsubscribe();
      await satellite.stop();
    },
  };
}

function terminalsOf({ terminals }: Pick<GatewayStatus, 'terminals'>): Summary['terminals'] {
  return terminals.map(({ name, state, ledger }) => ({
    ...{ name, state, verified: ledger.verified, failed: ledger.failed },
    pending: ledger.pending + ledger.sending,
  }));
}

/** Calls once for many calls that come close together. */
function later(clock: Clock, work: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    clock.after(NEWS_MS, () => {
      waiting = false;
      work();
    });
  };
}
