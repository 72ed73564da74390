import { nearest } from '@whorl/protocol';
import { createHash } from 'node:crypto';
import type { Clock } from '@whorl/protocol';
import type { Log } from '../settings/log.ts';
import type { Audit } from '../access/audit.ts';
import { Bucket } from '../settings/bucket.ts';
import { COMMANDS, ID_PATTERN } from './commands.ts';
import type { CommandRow, CommandTools } from './commands.ts';
import { CommandError, errorView, logged, shortened } from './errors.ts';

/** Largest command. */
export const MOST_COMMAND_BYTES = 256 * 1024;
/** Commands taken at once, and a second in the long run. */
const BURST = 100;
const PER_SECOND = 20;
/** Refusals told while commands come faster than that; the others are passed over in silence. */
const REFUSALS = 20;
const MOST_UNDER_WAY = 32;
/** How long an answer is remembered, milliseconds. */
const REMEMBER_MS = 600_000;
const MOST_REMEMBERED = 10_000;

/** Something that came under a command's topic. */
export interface Incoming {
  /** The topic below `commands/`. */
  readonly name: string;
  readonly payload: Uint8Array;
  /** Whether the broker kept it. */
  readonly retained: boolean;
}

/** What is to be said about it. */
export interface Reply {
  /** Below `whorl/<gateway>/`. */
  readonly topic: string;
  readonly payload: string;
}

interface Remembered {
  /** Of the whole command: another one under the same id is another one. */
  readonly digest: string;
  readonly reply: Promise<Reply>;
  readonly time: number;
}

export interface CommandDeskParts extends CommandTools {
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Pick<Audit, 'act'>;
}

/** Takes commands and answers each; what makes no sense is told what is wrong with it, and changes nothing. */
export class CommandDesk {
  readonly #parts: CommandDeskParts;
  readonly #commands: Bucket;
  readonly #refusals: Bucket;
  /** By id, oldest first. */
  readonly #remembered = new Map<string, Remembered>();
  #underWay = 0;

  constructor(parts: CommandDeskParts) {
    this.#parts = parts;
    this.#commands = new Bucket(parts.clock, BURST, PER_SECOND);
    this.#refusals = new Bucket(parts.clock, REFUSALS, REFUSALS);
  }

  /** @returns what to publish; `undefined` when nothing is to be said */
  async take(incoming: Incoming): Promise<Reply | undefined> {
    // This is how a retained message is cleared; it asks nothing.
    if (incoming.payload.length === 0) return undefined;
    const taken = this.#underWay < MOST_UNDER_WAY && this.#commands.take();
    if (!taken && !this.#refusals.take()) return undefined;
    let id: string | undefined;
    try {
      const command = parse(incoming.payload);
      id = idOf(command);
      if (!taken) throw new CommandError('MQTT_BUSY', 'commands come faster than they are taken');
      return await this.#answer(incoming, id, command);
    } catch (error) {
      return this.#refusal(incoming.name, id, error);
    }
  }

  #answer(incoming: Incoming, id: string, command: unknown): Promise<Reply> {
    const row = rowOf(incoming.name);
    const digest = digestOf(incoming.name, command);
    const known = this.#remembered.get(id);
    if (known !== undefined && row.changes && this.#parts.clock.now() - known.time < REMEMBER_MS) {
      if (known.digest === digest) return known.reply;
      throw new CommandError('MQTT_ID_USED', `${id} was the id of another command`, 'id');
    }
    if (incoming.retained)
      throw new CommandError('MQTT_RETAINED', `${incoming.name} was published with the retain flag`);
    const prepared = row.prepare(this.#parts, command);
    const work = row.changes ? () => this.#audited(incoming.name, command, prepared) : prepared;
    const reply = this.#carryOut(incoming.name, id, work);
    if (row.changes) this.#remember(id, { digest, reply, time: this.#parts.clock.now() });
    return reply;
  }

  /** Commands hold nothing secret. Whoever has the broker's password is one to the gateway. */
  #audited(name: string, command: unknown, work: () => Promise<unknown>): Promise<unknown> {
    const { id: _, ...detail } =
      typeof command === 'object' && command !== null ? { id: '', ...command } : { id: '' };
    const target = name.split('.')[0] ?? name;
    return this.#parts.audit.act({ who: 'mqtt', place: 'mqtt', deed: name, target, detail }, work);
  }

  async #carryOut(name: string, id: string, work: () => Promise<unknown>): Promise<Reply> {
    this.#underWay += 1;
    try {
      return answer(id, { ok: true, result: await work() });
    } catch (error) {
      return this.#refusal(name, id, error);
    } finally {
      this.#underWay -= 1;
    }
  }

  #refusal(name: string, id: string | undefined, cause: unknown): Reply {
    const error = errorView(cause);
    if (error.code === 'INTERNAL') {
      const { data, text } = logged(cause);
      this.#parts.log.error(data, `mqtt: command ${shortened(name)} failed: ${text}`);
    }
    if (id !== undefined) return answer(id, { ok: false, error });
    return { topic: 'errors', payload: JSON.stringify({ topic: `commands/${shortened(name)}`, error }) };
  }

  #remember(id: string, entry: Remembered): void {
    this.#remembered.delete(id);
    this.#remembered.set(id, entry);
    for (const [old, { time }] of this.#remembered) {
      const young = entry.time - time < REMEMBER_MS;
      if (young && this.#remembered.size <= MOST_REMEMBERED) break;
      this.#remembered.delete(old);
    }
  }
}

function answer(id: string, rest: object): Reply {
  return { topic: `answers/${id}`, payload: JSON.stringify({ id, ...rest }) };
}

function rowOf(name: string): CommandRow {
  const row = COMMANDS.get(name);
  if (row !== undefined) return row;
  const near = nearest(shortened(name), [...COMMANDS.keys()]);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new CommandError('MQTT_UNKNOWN', `no command is called ${shortened(name)}${hint}`);
}

/** @throws CommandError MQTT_TOO_LARGE, MQTT_JSON */
function parse(payload: Uint8Array): unknown {
  if (payload.length > MOST_COMMAND_BYTES)
    throw new CommandError(
      'MQTT_TOO_LARGE',
      `a command of ${payload.length} bytes, at most ${MOST_COMMAND_BYTES}`,
    );
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    throw new CommandError('MQTT_JSON', 'a command that is not JSON');
  }
}

/** @throws CommandError MQTT_JSON */
function idOf(command: unknown): string {
  const id = typeof command === 'object' && command !== null && 'id' in command ? command.id : undefined;
  if (typeof id === 'string' && ID_PATTERN.test(id)) return id;
  throw new CommandError(
    'MQTT_JSON',
    'a command without `id`: letters, digits, dots, dashes and underscores, at most 64',
    'id',
  );
}

function digestOf(name: string, command: unknown): string {
  return createHash('sha256')
    .update(`${name}\n${JSON.stringify(command)}`)
    .digest('base64');
}
