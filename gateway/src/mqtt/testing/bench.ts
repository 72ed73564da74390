import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, WhorlError } from '@whorl/protocol';
import { connectAsync } from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { onTestFinished, vi } from 'vitest';
import { EventHub } from '../../events/hub.ts';
import type { NewEvent, StoredEvent } from '../../events/catalogue.ts';
import { silentLog } from '../../settings/log.ts';
import type { MqttConfig } from '../../settings/mqtt.ts';
import { DEFAULT_RUNTIME_SETTINGS } from '../../settings/runtime.ts';
import type { GatewayStatus, Operations } from '../../sync/operations.ts';
import type { Preview } from '../../sync/preview.ts';
import type { SyncView, TaskOperations } from '../../tasks/operations.ts';
import { startMqtt } from '../face.ts';
import type { MqttFace, MqttParts } from '../face.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

/** A gateway's memory as far as MQTT sees it. */
export class Memory {
  readonly stored: StoredEvent[] = [];
  readonly notes = new Map<string, string>();
  readonly hub = new EventHub((error) => {
    throw error;
  });

  /** Stores an event and tells of it, as the gateway does. */
  add(event: NewEvent): StoredEvent {
    const stored: StoredEvent = { ...event, id: this.stored.length + 1 };
    this.stored.push(stored);
    this.hub.publish([stored]);
    return stored;
  }

  readonly store: MqttParts['store'] = {
    events: ({ after = 0, limit, newest, type, user }) => {
      const found = this.stored.filter(
        (event) =>
          event.id > after && (type ?? event.type) === event.type && (user ?? event.user) === event.user,
      );
      return Promise.resolve(newest === true ? found.slice(-limit) : found.slice(0, limit));
    },
    note: (key) => Promise.resolve(this.notes.get(key)),
    saveNote: (key, value) => {
      if (value === undefined) this.notes.delete(key);
      else this.notes.set(key, value);
      return Promise.resolve();
    },
  };
}

/** A user's change at a terminal or at the gateway. */
export function updated(user: number, origin: 'terminal' | 'gateway' = 'gateway'): NewEvent {
  const from = { time: 1_700_000_000_000, terminal: 'door', user, origin };
  return { ...from, type: 'user.update.succeeded', data: { log: user, at: 1_700_000_000_000 } };
}

export function statusOf(changes: Partial<GatewayStatus> = {}): GatewayStatus {
  const none = { pending: 0, sending: 0, verified: 0, failed: 0, withheld: 0 };
  const counters = {
    framesIn: 1,
    framesOut: 1,
    bytesIn: 1,
    bytesOut: 1,
    framesBad: 0,
    framesStray: 0,
    bytesDiscarded: 0,
    exchanges: 1,
    retries: 0,
    timeouts: 0,
    opened: 1,
  };
  return {
    gateway: 'hq',
    version: '0',
    started: 1,
    settings: DEFAULT_RUNTIME_SETTINGS,
    users: 0,
    lines: [{ name: 'floor', over: 'tcp 10.0.0.1 port 1', state: 'open', counters, waiting: 0 }],
    terminals: [
      {
        ...{ name: 'door', line: 'floor', address: 1, groups: [1], state: 'online', serial: 'WX-1' },
        ...{ ledger: none, counters: { framesIn: 1, framesBad: 0, exchanges: 1, retries: 0, timeouts: 0 } },
      },
    ],
    openPulls: 0,
    openConflicts: 0,
    ...changes,
  };
}

const NO_EFFECT: Preview = { confirm: '', guarded: false, terminals: [], users: [] };

function noConflict(id: number): Promise<never> {
  return Promise.reject(new WhorlError('CONFLICT_UNKNOWN', `there is no conflict ${id}`));
}

/** Operations that do nothing, each call of which can be looked at. */
export function fakeOperations() {
  return {
    status: vi.fn<Operations['status']>(() => Promise.resolve(statusOf())),
    addUser: vi.fn<Operations['addUser']>(() => Promise.resolve(1)),
    editUser: vi.fn<Operations['editUser']>(() => Promise.resolve(2)),
    eraseUser: vi.fn(() => Promise.resolve({ keys: [], unreached: [] })),
    deleteUser: vi.fn<Operations['deleteUser']>(() => Promise.resolve()),
    push: vi.fn<Operations['push']>((users, terminals) => Promise.resolve(users.length * terminals.length)),
    pull: vi.fn<Operations['pull']>((_user, terminal) =>
      terminal === 'door'
        ? Promise.resolve()
        : Promise.reject(new WhorlError('TERMINAL_UNKNOWN', `no terminal is called ${terminal}`)),
    ),
    changeSettings: vi.fn<Operations['changeSettings']>((changes) =>
      Promise.resolve({ ...DEFAULT_RUNTIME_SETTINGS, ...changes }),
    ),
    previewSettings: vi.fn<Operations['previewSettings']>(() => Promise.resolve(NO_EFFECT)),
    previewScope: vi.fn<Operations['previewScope']>(() => Promise.resolve(NO_EFFECT)),
    applyScope: vi.fn<Operations['applyScope']>(() => Promise.resolve()),
    previewDeletion: vi.fn<Operations['previewDeletion']>(() => Promise.resolve(NO_EFFECT)),
    previewImport: vi.fn<Operations['previewImport']>(() => Promise.resolve(NO_EFFECT)),
    allowImport: vi.fn<Operations['allowImport']>(() => Promise.resolve()),
    deleteUsers: vi.fn<Operations['deleteUsers']>((users) => Promise.resolve(users.length)),
    settings: vi.fn<Operations['settings']>(() => Promise.resolve(DEFAULT_RUNTIME_SETTINGS)),
    compare: vi.fn<Operations['compare']>((terminal) =>
      Promise.resolve({
        terminal,
        same: 0,
        different: [],
        missing: [],
        extra: [],
        pushed: 0,
        pulled: 0,
        removed: 0,
        heldApart: [],
        deleted: [],
      }),
    ),
    tap: vi.fn<Operations['tap']>(() => () => () => undefined),
    pair: vi.fn<Operations['pair']>(() => Promise.resolve('WX-1')),
    unpair: vi.fn<Operations['unpair']>(() => Promise.resolve('WX-1')),
    retry: vi.fn<Operations['retry']>(() => Promise.resolve(3)),
    conflicts: vi.fn<Operations['conflicts']>(() => Promise.resolve([])),
    decideConflict: vi.fn<Operations['decideConflict']>(noConflict),
    decideConflicts: vi.fn<Operations['decideConflicts']>(() => Promise.resolve(0)),
    undoConflict: vi.fn<Operations['undoConflict']>(noConflict),
    beginRotation: vi.fn<Operations['beginRotation']>(never),
    rotate: vi.fn<Operations['rotate']>(never),
    registers: vi.fn<Operations['registers']>(() => []),
    writeRegister: vi.fn<Operations['writeRegister']>(never),
  } satisfies Operations;
}

/** Sync sessions that a test moves on. */
export function fakeTasks() {
  const watchers = new Set<(sync: SyncView) => void>();
  return {
    syncs: vi.fn<TaskOperations['syncs']>(() => Promise.resolve([])),
    cancel: vi.fn<TaskOperations['cancel']>(() => Promise.resolve()),
    watch: (watcher: (sync: SyncView) => void) => {
      watchers.add(watcher);
      return () => void watchers.delete(watcher);
    },
    moved: (sync: SyncView) => {
      for (const watcher of watchers) watcher(sync);
    },
  };
}

function never(): Promise<never> {
  return Promise.reject(new Error('nobody asks for this over MQTT'));
}

/** A directory that is gone after the test. */
export function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-mqtt-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Bench {
  readonly memory: Memory;
  readonly operations: ReturnType<typeof fakeOperations>;
  readonly tasks: ReturnType<typeof fakeTasks>;
  readonly dataDir: string;
  readonly face: MqttFace;
}

/** MQTT of a gateway called `hq`, on its embedded broker unless told otherwise. */
export async function startBench(
  config: Partial<MqttConfig> = {},
  parts: Partial<Omit<Bench, 'face'>> & Partial<Pick<MqttParts, 'log'>> = {},
): Promise<Bench> {
  const {
    memory = new Memory(),
    operations = fakeOperations(),
    tasks = fakeTasks(),
    dataDir = scratch(),
    log = silentLog,
  } = parts;
  const face = await startMqtt({
    config: { enabled: true, host: '127.0.0.1', port: 0, ...config },
    gateway: 'hq',
    dataDir,
    operations,
    tasks,
    store: memory.store,
    hub: memory.hub,
    clock: systemClock,
    log,
    audit: { act: (_deed, work) => work() },
  });
  onTestFinished(() => face.stop());
  return { memory, operations, tasks, dataDir, face };
}

/** A program at a broker: remembers what it hears, by topic. */
export class Program {
  readonly client: MqttClient;
  readonly heard: { topic: string; body: unknown; retain: boolean }[] = [];

  constructor(client: MqttClient) {
    this.client = client;
    client.on('message', (topic, payload, { retain }) => {
      const text = payload.toString();
      this.heard.push({ topic, body: text === '' ? '' : JSON.parse(text), retain });
    });
  }

  /** What came under a topic, oldest first. */
  under(topic: string): unknown[] {
    return this.heard.filter((one) => one.topic === `whorl/hq/${topic}`).map(({ body }) => body);
  }

  /** Asks, and waits for as many answers to this id as there are then. */
  async ask(
    name: string,
    command: { readonly id: string; readonly [key: string]: unknown },
  ): Promise<unknown> {
    const before = this.under(`answers/${command.id}`).length;
    await this.client.publishAsync(`whorl/hq/commands/${name}`, JSON.stringify(command), { qos: 1 });
    return vi.waitFor(() => {
      const answer = this.under(`answers/${command.id}`)[before];
      if (answer === undefined) throw new Error(`no answer to ${command.id}`);
      return answer;
    }, PATIENCE);
  }
}

export async function connectProgram(url: string, options: IClientOptions = {}): Promise<Program> {
  const client = await connectAsync(url, { reconnectPeriod: 0, ...options }, false);
  onTestFinished(() => client.endAsync(true));
  return new Program(client);
}

/** A program at the embedded broker that hears all of the gateway's topics. */
export async function listen({ face }: Bench, options: IClientOptions = {}): Promise<Program> {
  const { brokerUrl = '', passwordFile = '' } = face;
  const password = readFileSync(passwordFile, 'utf8').trim();
  const program = await connectProgram(brokerUrl, { username: 'whorl', password, ...options });
  await program.client.subscribeAsync('whorl/hq/#', { qos: 1 });
  return program;
}
