import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const CLI = fileURLToPath(new URL('../../../gateway/src/cli/main.ts', import.meta.url));
const MOST = 1000;

const usersSchema = z.array(z.object({ id: z.int() }));
const recordSchema = z.object({ fields: z.record(z.string(), z.string()) });

/** A gateway as `whorl start` makes it, in a folder of its own, spoken with over its socket. */
export class GatewayProcess {
  readonly name: string;
  readonly #home: string;
  readonly #inside: readonly string[];
  #child: ChildProcess | undefined;

  /** @param inside what a command begins with to run where the gateway stands */
  constructor(parts: { name: string; folder: string; config: string; inside: readonly string[] }) {
    this.name = parts.name;
    this.#home = join(parts.folder, parts.name);
    this.#inside = parts.inside;
    mkdirSync(join(this.#home, 'data'), { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#home, 'whorl.yaml'), parts.config);
  }

  start(): void {
    const [program, ...before] = [...this.#inside, process.execPath] as const;
    const args = [...before, CLI, 'start', '--config', join(this.#home, 'whorl.yaml')];
    this.#child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  /** As a power loss would end it. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** @throws Error whatever is not answered with 2xx */
  ask(method: 'GET' | 'POST' | 'PATCH', path: string, body?: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const socketPath = join(this.#home, 'data', 'run', 'gateway.sock');
      const headers = body === undefined ? {} : { 'content-type': 'application/json' };
      const asked = request({ socketPath, method, path, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        answer.once('end', () => {
          const { statusCode = 0 } = answer;
          if (statusCode >= 200 && statusCode < 300) resolve(JSON.parse(text));
          else reject(new Error(`${this.name}: ${method} ${path}: ${statusCode} ${text}`));
        });
      });
      asked.once('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** A digest of all that is held of each user, templates too. */
  async users(): Promise<Record<number, string>> {
    const list = usersSchema.parse(await this.ask('GET', `/users?limit=${MOST}`));
    const digests: Record<number, string> = {};
    for (const { id } of list) {
      const { fields } = recordSchema.parse(await this.ask('GET', `/users/${id}/record`));
      const sorted = Object.entries(fields).sort(([one], [other]) => Number(one) - Number(other));
      digests[id] = hash('sha256', JSON.stringify(sorted));
    }
    return digests;
  }
}
