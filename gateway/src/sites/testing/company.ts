import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordOf, seededRandom, systemClock } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';
import { z } from 'zod';
import { startGateway } from '../../gateway.ts';
import type { Gateway } from '../../gateway.ts';
import { Connection } from '../../mqtt/connection.ts';
import type { Message } from '../../mqtt/connection.ts';
import { startMqtt } from '../../mqtt/face.ts';
import type { MqttFace } from '../../mqtt/face.ts';
import { brokerWire } from '../../mqtt/ways.ts';
import { silentLog } from '../../settings/log.ts';
import type { MqttConfig } from '../../settings/mqtt.ts';
import type { SitesConfig } from '../../settings/sites.ts';
import { beginRun, openSites } from '../../sites-service.ts';
import type { SitesService } from '../../sites-service.ts';
import { openStore } from '../../store/open.ts';
import type { Store } from '../../store/store.ts';
import { mergePulled } from '../../sync/pulled.ts';
import { brokerFiles } from '../broker-accounts.ts';
import type { BrokerFile, BrokerFilesPlace, BrokerKind } from '../broker-accounts.ts';
import type { SystemBroker } from './brokers.ts';
import { contentsOf, entries, EVERYTHING, PASSWORD, quickDerive } from './world.ts';

/** Where master and satellites meet: a broker of the system, or the one that the master embeds. */
export type Meeting =
  | {
      readonly kind: 'mosquitto' | 'rabbitmq';
      readonly broker: SystemBroker;
      /** Where satellites are, when that is another one. */
      readonly sites?: Pick<SystemBroker, 'url' | 'ca'>;
    }
  | {
      readonly kind: 'aedes';
      readonly place: { readonly port: number; readonly cert: string; readonly key: string };
    };

/** The master's account at a broker of the system. */
export const HQ = { user: 'headquarters', password: 'the password of hq there' } as const;

/** Somebody who may do everything at a broker of the system. */
const INSIDER = { user: 'insider', password: 'the password of the insider' } as const;

let seed = 500;
function freshRandom(): Random {
  seed += 1;
  return seededRandom(seed);
}

/** A gateway that takes part, without lines. */
export class Office {
  readonly name: string;
  readonly data: string;
  readonly store: Store = openStore({ data: { memory: true } });
  readonly #config: SitesConfig;
  readonly #mqtt: MqttConfig | undefined;
  #parts: { gateway: Gateway; sites: SitesService; face: MqttFace | undefined } | undefined;

  /** @param mqtt of a master */
  constructor(name: string, config: SitesConfig, mqtt?: MqttConfig) {
    this.name = name;
    this.#config = config;
    this.#mqtt = mqtt;
    this.data = mkdtempSync(join(tmpdir(), `whorl-${name}-`));
  }

  get parts(): { gateway: Gateway; sites: SitesService; face: MqttFace | undefined } {
    if (this.#parts === undefined) throw new Error(`${this.name} is not at work`);
    return this.#parts;
  }

  /** @param speaks whether it speaks with others at once */
  async open(speaks = true): Promise<void> {
    const { name, store, data } = this;
    const [clock, log, config] = [systemClock, silentLog, this.#config];
    const random = freshRandom();
    const about = { store, clock, random, log };
    await beginRun(store, config, random);
    const gateway = await startGateway({ ...about, config: { name, lines: [] }, version: '0' });
    const { operations, tasks, hub, site } = gateway;
    const sites = await openSites({
      ...{ config, name, site, data, clock, random, log, external: this.#mqtt?.external },
      ...{ status: () => operations.status(), derive: quickDerive },
    });
    this.#parts = { gateway, sites, face: undefined };
    if (speaks) await this.speak({ operations, tasks, store, hub });
  }

  async speak(
    { operations, tasks, store, hub }: Pick<Gateway, 'operations' | 'tasks' | 'store' | 'hub'> = this.parts
      .gateway,
  ): Promise<void> {
    const { gateway, sites } = this.parts;
    const face =
      this.#mqtt &&
      (await startMqtt({
        ...{ operations, tasks, store, hub, clock: systemClock, log: silentLog },
        ...{ gateway: this.name, dataDir: this.data, config: this.#mqtt, sites: sites.broker },
        audit: { act: (_deed, work) => work() },
      }));
    this.#parts = { gateway, sites, face };
    sites.start(face);
  }

  /** Ends as a gateway does that is stopped; its store stays. */
  async rest(): Promise<void> {
    const { gateway, sites, face } = this.parts;
    this.#parts = undefined;
    await sites.stop();
    await face?.stop();
    await gateway.stop();
  }

  async close(): Promise<void> {
    if (this.#parts !== undefined) await this.rest();
    await this.store.close();
    rmSync(this.data, { recursive: true, force: true });
  }

  /** Takes the identity of another one's machine, as a copy of its disk does. */
  becomeCopyOf(other: Office): void {
    cpSync(join(other.data, 'site.identity'), join(this.data, 'site.identity'));
  }

  contents(): Promise<Record<number, string>> {
    return contentsOf(this.store);
  }

  /** Somebody is enrolled or edited at a terminal, and fetched from there. */
  async enrol(user: number, fields: Readonly<Record<number, Uint8Array>>): Promise<void> {
    const { site } = this.parts.gateway;
    const held = await this.store.user(user);
    const record = recordOf(user, new Map([...(held?.record.fields ?? []), ...entries(fields)]));
    await mergePulled(site, { user, terminal: 'door-1', log: 1, changed: site.now }, record, EVERYTHING);
  }
}

/** A master and its satellites over a real broker. */
export class Company {
  readonly hq: Office;
  readonly satellites: Office[] = [];
  readonly #meeting: Meeting;
  readonly #directory = mkdtempSync(join(tmpdir(), 'whorl-company-'));

  constructor(meeting: Meeting) {
    this.#meeting = meeting;
    this.hq = new Office('hq', { role: 'master', syncId: 1 }, this.#mqtt());
  }

  get url(): string {
    const meeting = this.#meeting;
    return meeting.kind === 'aedes' ? `mqtts://127.0.0.1:${meeting.place.port}` : meeting.broker.url;
  }

  get ca(): string {
    const meeting = this.#meeting;
    return meeting.kind === 'aedes' ? meeting.place.cert : meeting.broker.ca;
  }

  #mqtt(): MqttConfig {
    const meeting = this.#meeting;
    const bare = { enabled: true, host: '127.0.0.1', port: 0 };
    if (meeting.kind === 'aedes') {
      const { port, cert, key } = meeting.place;
      return { ...bare, port, tls: { cert, key } };
    }
    const passwordFile = this.#secret('hq', HQ.password);
    return { ...bare, external: { url: this.url, ca: this.ca, user: HQ.user, passwordFile } };
  }

  #secret(name: string, text: string): string {
    const file = join(this.#directory, `${name}.password`);
    writeFileSync(file, `${text}\n`, { mode: 0o600 });
    return file;
  }

  /** With these satellites in the list, and at work. */
  async open(...names: readonly string[]): Promise<void> {
    await this.hq.open(false);
    for (const [index, name] of names.entries()) await this.list(name, index + 2);
    if (this.#meeting.kind !== 'aedes') await this.#meeting.broker.start(await this.#files());
    await this.hq.speak();
    for (const [index, name] of names.entries()) {
      const office = this.satellite(name, index + 2);
      this.satellites.push(office);
      await office.open();
    }
  }

  list(name: string, syncId: number): Promise<void> {
    return this.hq.parts.sites.operations.add({ syncId, name, user: name, url: '', password: PASSWORD });
  }

  /** A gateway that knows the password of a site. */
  satellite(name: string, syncId: number): Office {
    const passwordFile = this.#secret(name, PASSWORD);
    const meeting = this.#meeting;
    const { url, ca } = (meeting.kind === 'aedes' ? undefined : meeting.sites) ?? this;
    const master = { name: 'hq', url, ca, user: name, passwordFile };
    return new Office(name, { role: 'satellite', syncId, master });
  }

  /** What the command makes of the list, and an account that may do everything. */
  async #files(): Promise<readonly BrokerFile[]> {
    if (this.#meeting.kind === 'aedes') return [];
    const { kind, broker } = this.#meeting;
    const files = await this.hq.parts.sites.operations.brokerFiles({ kind, ...broker.place });
    return withInsider(kind, files, broker.place);
  }

  /** The broker learns of a changed list, as its installer is told to do it. */
  async relist(removed: readonly string[] = []): Promise<void> {
    if (this.#meeting.kind !== 'aedes') await this.#meeting.broker.reload(await this.#files(), removed);
  }

  /** Ends the broker, with the master where that embeds it. */
  kill(): Promise<void> {
    return this.#meeting.kind === 'aedes' ? this.hq.rest() : this.#meeting.broker.kill();
  }

  again(): Promise<void> {
    return this.#meeting.kind === 'aedes' ? this.hq.open() : this.#meeting.broker.again();
  }

  /** Somebody who may do everything at the broker. */
  async insider(onMessage: (message: Message) => void): Promise<Connection> {
    const { face } = this.hq.parts;
    const way =
      this.#meeting.kind === 'aedes' ? face?.way() : { wire: brokerWire(this.url, this.ca), login: INSIDER };
    if (way === undefined) throw new Error('no broker');
    return Connection.open({
      ...{ ...way, clientId: 'whorl-hq-insider', clock: systemClock, onMessage },
      ...{ will: { topic: 'whorl/hq/insider', payload: '' }, signal: AbortSignal.timeout(10_000) },
    });
  }

  async close(): Promise<void> {
    for (const office of [...this.satellites, this.hq]) await office.close();
    if (this.#meeting.kind !== 'aedes') await this.#meeting.broker.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function withInsider(
  kind: BrokerKind,
  files: readonly BrokerFile[],
  place: BrokerFilesPlace,
): readonly BrokerFile[] {
  const account = { ...INSIDER, clients: 'whorl-hq-insider', writes: ['#'], reads: ['#'] };
  const own = new Map(
    brokerFiles(kind, [account], place, freshRandom()).map(({ name, text }) => [name, text]),
  );
  return files.map(({ name, text }) => {
    const more = own.get(name) ?? '';
    if (name.endsWith('.json')) return { name, text: joined(text, more) };
    return { name, text: /\.(acl|passwords)$/.test(name) ? text + more : text };
  });
}

/** Lists of two objects, one behind the other. */
function joined(one: string, other: string): string {
  const [a, b] = [one, other].map((text) =>
    z.record(z.string(), z.array(z.unknown())).parse(JSON.parse(text)),
  );
  return JSON.stringify(
    Object.fromEntries(Object.entries(a ?? {}).map(([key, list]) => [key, [...list, ...(b?.[key] ?? [])]])),
  );
}
