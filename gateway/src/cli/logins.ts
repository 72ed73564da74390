import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { makeDirectories } from '../settings/directories.ts';

const loginSchema = z.strictObject({
  name: z.string(),
  role: z.string(),
  token: z.string(),
  expires: z.int(),
  refresh: z.string(),
  ends: z.int(),
  /** Of a certificate that nobody vouches for and that was accepted here. */
  fingerprint: z.string().optional(),
});
const fileSchema = z.record(z.string(), loginSchema);

/** A session at one gateway. */
export type Login = z.infer<typeof loginSchema>;

/** Who is logged in where, in a file that only its owner can read. */
export class Logins {
  readonly #path: string;

  constructor(path = defaultPath()) {
    this.#path = path;
  }

  /** @throws WhorlError FILE_READ */
  get(url: URL): Login | undefined {
    return this.#read()[keyOf(url)];
  }

  /** @param login `undefined` forgets it. @throws WhorlError FILE_READ, FILE_WRITE */
  set(url: URL, login: Login | undefined): void {
    const { [keyOf(url)]: _, ...others } = this.#read();
    this.#write(login === undefined ? others : { ...others, [keyOf(url)]: login });
  }

  #read(): Readonly<Record<string, Login>> {
    if (!existsSync(this.#path)) return {};
    try {
      // Windows has no such bits; there the directory's access list protects the file.
      if (process.platform !== 'win32' && (statSync(this.#path).mode & 0o077) !== 0)
        throw new Error('others may read it; set its permissions to 0600');
      return fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
    } catch (cause) {
      const text = cause instanceof z.ZodError ? 'holds no logins; delete it' : describe(cause);
      throw new WhorlError('FILE_READ', `${this.#path}: ${text}`, { cause });
    }
  }

  #write(logins: Readonly<Record<string, Login>>): void {
    const fresh = `${this.#path}.${process.pid}`;
    try {
      makeDirectories(dirname(this.#path));
      rmSync(fresh, { force: true });
      const file = openSync(fresh, 'wx', 0o600);
      try {
        writeSync(file, `${JSON.stringify(logins, undefined, 2)}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(fresh, this.#path);
    } catch (cause) {
      throw new WhorlError('FILE_WRITE', `${this.#path}: ${describe(cause)}`, { cause });
    }
  }
}

function keyOf(url: URL): string {
  return `${url.origin}${url.pathname.replace(/\/$/, '')}`;
}

function defaultPath(): string {
  const { WHORL_LOGINS, APPDATA, XDG_CONFIG_HOME } = process.env;
  if (WHORL_LOGINS !== undefined) return WHORL_LOGINS;
  const folder = process.platform === 'win32' ? APPDATA : XDG_CONFIG_HOME;
  return join(folder ?? join(homedir(), '.config'), 'whorl', 'logins.json');
}
