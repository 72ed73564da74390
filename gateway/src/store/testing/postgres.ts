import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import process from 'node:process';

/** A PostgreSQL server for tests: its own directory, port and password. */
export interface PostgresServer {
  /** Without the password, which is in the file. */
  readonly url: string;
  readonly passwordFile: string;
  readonly password: string;
  stop(): Promise<void>;
  /** As a power loss would end it. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export const NO_POSTGRES = 'no PostgreSQL here: apt-get install postgresql';

/** Folder of the server's programs; `undefined` when there is no server. */
export function postgresPrograms(): string | undefined {
  const known = globSync('/usr/lib/postgresql/*/bin/initdb').sort().at(-1);
  if (known !== undefined) return dirname(known);
  const asked = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  const folder = asked.status === 0 ? asked.stdout.trim() : '';
  return existsSync(join(folder, 'initdb')) ? folder : undefined;
}

/** @param more options of the server */
export async function startPostgres(programs: string, more: readonly string[] = []): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-pg-'));
  const passwordFile = join(directory, 'password');
  const password = randomBytes(16).toString('hex');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const owner = ownerOf();
  if ('uid' in owner) for (const path of [directory, passwordFile]) chownSync(path, owner.uid, owner.gid);
  const data = join(directory, 'data');
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'whorl', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '--no-sync', '-E', 'UTF8'],
    { ...owner, stdio: 'pipe', cwd: directory },
  );
  const port = await freePort();
  const run = () => {
    const options = ['-D', data, '-p', String(port), '-k', '', '-h', '127.0.0.1', ...more];
    const child = spawn(join(programs, 'postgres'), options, {
      ...owner,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const ready = new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (chunk: Buffer) => {
        if (chunk.includes('ready to accept connections')) resolve();
      });
      void ended.then(() => reject(new Error('PostgreSQL ended')));
    });
    return { child, ended, ready };
  };
  let server = run();
  await server.ready;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server.child.kill(signal);
    await server.ended;
  };
  return {
    url: `postgres://whorl@127.0.0.1:${port}/postgres`,
    passwordFile,
    password,
    kill: () => end('SIGQUIT'),
    start: async () => {
      server = run();
      await server.ready;
    },
    stop: async () => {
      await end('SIGQUIT');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The server refuses to run as root. */
function ownerOf(): { uid: number; gid: number } | Record<string, never> {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
