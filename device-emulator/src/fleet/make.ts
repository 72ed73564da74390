import { renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ADDRESS_MAX, counted, describe, WhorlError } from '@whorl/protocol';
import { stringify } from 'yaml';
import { z } from 'zod';
import { makeFolder } from '../files/folder.ts';
import { isModelPath, modelNamed } from '../models/built-in.ts';
import { reader, RequestError } from '../values/given.ts';
import { whole } from '../values/numbers.ts';
import { fleetSchema } from './schema.ts';
import type { FleetConfig } from './schema.ts';

const MOST_LINES = 10_000;
const MOST_USERS = 1_000_000;
const LAST_PORT = 0xffff;
const WIRE_BAUD = 115_200;

type FleetFile = z.input<typeof fleetSchema>;

const port = whole('', 0, LAST_PORT);

const place = z
  .string()
  .regex(/^[^:]+:\d+$/, 'a place is written host:port')
  .transform((text) => ({
    host: text.slice(0, text.indexOf(':')),
    port: Number(text.slice(text.indexOf(':') + 1)),
  }));

const list = z.string().transform((text) => text.split(','));

const readWish = reader({
  lines: whole('', 1, MOST_LINES).default(1),
  terminals: whole('', 1, ADDRESS_MAX).optional(),
  users: whole('', 0, MOST_USERS).default(0),
  model: list.optional(),
  from: list.optional(),
  pty: z.string().min(1).optional(),
  tcp: port.optional(),
  dial: place.optional(),
  seed: whole('', 0, Number.MAX_SAFE_INTEGER).default(1),
});

/**
 * Makes the fleet that somebody wishes on the command line: so many lines with so many terminals each, which all hold
 * the same users.
 * @param given `lines`, `terminals` a line, `users` a terminal, `model` or several in turn, or `from` for files of dumps
 * in turn, and one of `pty` (a folder), `tcp` (first of the ports, 0 for any free ones), `dial` (host:port of the gateway)
 * @throws WhorlError CONTROL_REQUEST naming the option; MODEL_UNKNOWN, MODEL_FILE
 */
export function makeFleet(given: unknown): FleetFile {
  const wish = readWish(given);
  const kinds = kindsOf(wish);
  const { terminals = wish.from?.length ?? 1 } = wish;
  const ways = (['pty', 'tcp', 'dial'] as const).filter((way) => wish[way] !== undefined);
  if (ways.length !== 1) throw new RequestError(ways[1] ?? 'pty', 'one of --pty, --tcp and --dial');
  const { pty, tcp, dial } = wish;
  if (tcp !== undefined && tcp > 0 && tcp + wish.lines - 1 > LAST_PORT)
    throw new RequestError('tcp', `there are no ${wish.lines} ports from ${tcp} on`);
  const lines = Array.from({ length: wish.lines }, (_, line) => ({
    name: `line-${line + 1}`,
    ...(pty === undefined ? {} : { pty: { link: join(pty, `line-${line + 1}.line`) } }),
    ...(tcp === undefined ? {} : { listen: { port: tcp === 0 ? 0 : tcp + line } }),
    ...(dial === undefined ? {} : { dial }),
    // Several behind one connection share a wire behind a serial device server.
    ...(pty !== undefined || terminals > 1 ? { baud: WIRE_BAUD } : {}),
    terminals: Array.from({ length: terminals }, (_one, seat) => {
      const number = line * terminals + seat;
      return { name: `terminal-${number + 1}`, address: seat + 1, ...kinds[number % kinds.length] };
    }),
  }));
  return { seed: wish.seed, lines };
}

/** What terminals are, in turn: of models, or others like those that were dumped. */
function kindsOf({ model, from, users }: ReturnType<typeof readWish>): object[] {
  if (from === undefined) {
    const models = (model ?? ['finger-10k']).map((name) => (isModelPath(name) ? resolve(name) : name));
    return models.map((name) => ({ model: name, ...usersOf(users, name) }));
  }
  const [other] = [...(model === undefined ? [] : ['model']), ...(users === 0 ? [] : ['users'])];
  if (other !== undefined) throw new RequestError(other, `a dump says itself what --${other} would`);
  return from.map((path) => ({ from: resolve(path) }));
}

/** One credential each, as the model takes them. */
function usersOf(count: number, name: string): object {
  const { users, fingers, faces } = modelNamed(name).capabilities;
  if (count === 0) return {};
  if (count > users) throw new RequestError('users', `${name} holds ${counted(users, 'user')} at most`);
  const kind = fingers > 0 ? 'fingers' : faces > 0 ? 'faces' : 'cards';
  return { users: { count, [kind]: 1 } };
}

/** A fleet as it is started. */
export function checkedFleet(fleet: FleetFile): FleetConfig {
  return fleetSchema.parse(fleet);
}

/** Writes a fleet file; its links count from its folder. @throws WhorlError FILE_WRITE */
export function writeFleet(path: string, fleet: FleetFile): void {
  const folder = dirname(resolve(path));
  const lines = fleet.lines.map((line) =>
    line.pty === undefined
      ? line
      : { ...line, pty: { link: `./${relative(folder, resolve(line.pty.link))}` } },
  );
  const text = `# whorl-emulator start --config ${path}\n${stringify({ ...fleet, lines }, { aliasDuplicateObjects: false })}`;
  try {
    makeFolder(folder);
    writeFileSync(`${path}.new`, text, { flush: true });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new WhorlError('FILE_WRITE', `${path}: ${describe(cause)}`, { cause });
  }
}
