import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { systemClock } from '@whorl/protocol';
import { makeCertificate } from '../../http/certificate.ts';
import type { BrokerFile, BrokerFilesPlace } from '../broker-accounts.ts';

/** A broker of the system, as a process of its own, in a directory of its own. */
export interface SystemBroker {
  /** `mqtts://…` */
  readonly url: string;
  /** PEM file of who signed its certificate. */
  readonly ca: string;
  readonly place: BrokerFilesPlace;
  /** @param files what `whorl sites broker-config` writes */
  start(files: readonly BrokerFile[]): Promise<void>;
  /** As it was before {@link kill}. */
  again(): Promise<void>;
  /** As a power loss would end it. */
  kill(): Promise<void>;
  /** Does what the command says has to be done after the list was changed. @param removed user names */
  reload(files: readonly BrokerFile[], removed?: readonly string[]): Promise<void>;
  stop(): Promise<void>;
}

const RABBIT = '/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server';

/** What starts each broker; `undefined` where it is not installed. */
export const PROGRAMS = {
  mosquitto: () => ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find((path) => existsSync(path)),
  rabbitmq: () => globSync(RABBIT)[0],
} as const;

export const NO_BROKER = {
  mosquitto: 'no Mosquitto here: apt-get install mosquitto',
  rabbitmq: 'no RabbitMQ here: apt-get install rabbitmq-server',
} as const;

const DAY_MS = 86_400_000;

/** @param host address that it listens on, and that its certificate names */
export async function systemBroker(
  kind: keyof typeof PROGRAMS,
  program: string,
  host = '127.0.0.1',
): Promise<SystemBroker> {
  const directory = mkdtempSync(join(tmpdir(), `whorl-${kind}-`));
  const port = await freePort();
  const about = { directory, port, cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  certify(about, host);
  const runner = kind === 'mosquitto' ? new Mosquitto(program, about) : await Rabbit.beside(program, about);
  const put = (files: readonly BrokerFile[]): void => {
    for (const { name, text } of files) writeFileSync(join(directory, name), text, { mode: 0o600 });
  };
  return {
    ...{ url: `mqtts://${host}:${port}`, ca: about.cert, place: about },
    start: async (files) => {
      put(files);
      await runner.start();
    },
    again: () => runner.start(),
    kill: () => runner.end(),
    reload: async (files, removed = []) => {
      put(files);
      await runner.reload(removed);
    },
    stop: async () => {
      await runner.end();
      await runner.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Writes a certificate for an address, and its key. */
export function certify(place: Pick<BrokerFilesPlace, 'cert' | 'key'>, host: string): void {
  const now = systemClock.wallTime();
  const { cert, key } = makeCertificate({
    ...{ names: [host], from: now - DAY_MS, until: now + DAY_MS },
    serial: randomBytes(8),
  });
  writeFileSync(place.cert, cert);
  writeFileSync(place.key, key, { mode: 0o600 });
}

/** One process that says on its output when it is ready. */
class Running {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(program: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(program, args, {
      ...{ env: { ...process.env, ...env }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
      // A program that crashes leaves its traces where it stands.
      cwd: tmpdir(),
    });
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    const stop = (): void => this.#stop();
    process.once('exit', stop);
    void this.#ended.then(() => process.off('exit', stop));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async ready(word: string): Promise<void> {
    let said = '';
    await new Promise<void>((resolve, reject) => {
      for (const stream of [this.#child.stdout, this.#child.stderr])
        stream?.on('data', (piece: Buffer) => {
          said += piece.toString();
          if (said.includes(word)) resolve();
        });
      void this.#ended.then(() => reject(new Error(`the broker ended: ${said}`)));
    });
  }

  /** With all that it started. */
  async kill(): Promise<void> {
    this.#stop();
    await this.#ended;
  }

  #stop(): void {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
  }
}

class Mosquitto {
  readonly #program: string;
  readonly #place: BrokerFilesPlace;
  #running: Running | undefined;

  constructor(program: string, place: BrokerFilesPlace) {
    this.#program = program;
    this.#place = place;
  }

  async start(): Promise<void> {
    const { directory } = this.#place;
    const main = join(directory, 'main');
    // As root it would otherwise become another user, who may not read the files.
    writeFileSync(main, `user root\ninclude_dir ${directory}\n`);
    this.#running = new Running(this.#program, ['-c', main], {});
    await this.#running.ready('running');
  }

  async reload(): Promise<void> {
    const { pid } = this.#running ?? {};
    if (pid !== undefined) process.kill(pid, 'SIGHUP');
  }

  async end(): Promise<void> {
    await this.#running?.kill();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }
}

class Rabbit {
  readonly #program: string;
  readonly #place: BrokerFilesPlace;
  readonly #env: NodeJS.ProcessEnv;
  /** Tells Erlang programs of each other; one of our own, so that no other node is met. */
  readonly #names: Running;
  #running: Running | undefined;

  private constructor(program: string, place: BrokerFilesPlace, ports: { names: number; node: number }) {
    this.#program = program;
    this.#place = place;
    const { directory } = place;
    const home = join(directory, 'home');
    mkdirSync(home);
    this.#env = {
      HOME: home,
      ERL_EPMD_PORT: String(ports.names),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `whorl-${place.port}@localhost`,
      RABBITMQ_DIST_PORT: String(ports.node),
      RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq.conf'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
      RABBITMQ_CONF_ENV_FILE: join(directory, 'none'),
      RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
      RABBITMQ_LOG_BASE: join(directory, 'log'),
      RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1 +sbwt none',
    };
    this.#names = new Running('epmd', ['-port', String(ports.names)], this.#env);
  }

  static async beside(program: string, place: BrokerFilesPlace): Promise<Rabbit> {
    return new Rabbit(program, place, { names: await freePort(), node: await freePort() });
  }

  async start(): Promise<void> {
    this.#running = new Running(this.#program, [], this.#env);
    await this.#running.ready('completed with');
  }

  async reload(removed: readonly string[]): Promise<void> {
    const ctl = join(dirname(this.#program), 'rabbitmqctl');
    const run = promisify(execFile);
    const env = { ...process.env, ...this.#env };
    await run(ctl, ['import_definitions', join(this.#place.directory, 'whorl.definitions.json')], { env });
    for (const user of removed) await run(ctl, ['delete_user', user], { env });
  }

  async end(): Promise<void> {
    await this.#running?.kill();
  }

  async stop(): Promise<void> {
    await this.#names.kill();
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
