import { createCipheriv, hash, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  credentialOf,
  decodeField,
  encodeField,
  fieldName,
  reasonOf,
  recordOf,
  WhorlError,
} from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import { z } from 'zod';
import type { Model } from '../firmware/model.ts';
import type { Held } from '../firmware/held.ts';
import type { Terminal } from '../firmware/terminal.ts';
import { isModelName, MODEL_NAMES, modelFileOf } from '../models/built-in.ts';
import { capabilities, fileOf, firstOf, modelFile, modelOf } from '../models/file.ts';

const hex = z.string().regex(/^([0-9a-f]{2})*$/, 'bytes in hex');

const number = z.int().min(0).max(0xffff_ffff);
const logRecord = z.strictObject({
  id: number,
  time: z.int().min(0),
  code: z.int().min(0).max(0xffff),
  origin: z.enum(['terminal', 'gateway']),
  user: number,
  detail: z.int().min(0).max(0xffff),
});

/** What a terminal holds and can, to make an emulated one of: nothing in it tells whom it is about. */
export const dumpSchema = z.strictObject({
  dump: z.literal(1),
  /** A model that is shipped, or all about one that is not. */
  model: z.union([z.enum(MODEL_NAMES), modelFile]),
  firmware: z.string().max(24),
  capabilities,
  epoch: number,
  boots: number,
  clock: z.strictObject({ aheadMs: z.int(), ppm: z.int().min(-1_000_000).max(1_000_000) }),
  log: z.strictObject({ last: number, records: z.array(logRecord) }).refine(isWhole, 'records have gaps'),
  users: z.array(z.strictObject({ id: z.int().min(1), fields: z.record(z.string().regex(/^\d+$/), hex) })),
});

export type Dump = z.infer<typeof dumpSchema>;

function isWhole({ last, records }: { last: number; records: readonly { id: number }[] }): boolean {
  return records.every(({ id }, i) => id === last - records.length + 1 + i);
}

/**
 * What a terminal holds and can, with pseudonyms of the same size for names, card numbers, PIN verifiers, templates,
 * photos and whatever this release does not know; the same ones for the same values, within a dump. Its pairing key and
 * what is on its way are left out.
 * @param salt of this dump alone, 32 random bytes that nobody keeps
 */
export function dumpOf(terminal: Terminal, salt: Uint8Array): Dump {
  const { users, ...held } = terminal.held;
  const { model } = terminal;
  return dumpSchema.parse({
    ...{ dump: 1, model: isModelName(model.name) ? model.name : fileOf(model) },
    ...{ firmware: model.firmware, capabilities: model.capabilities },
    ...held,
    users: users.map((record) => {
      const { id, fields } = pseudonymous(record, salt);
      const told = [...fields].map(([field, bytes]) => [String(field), Buffer.from(bytes).toString('hex')]);
      return { id, fields: Object.fromEntries(told) as Record<string, string> };
    }),
  });
}

/** What a dump says of a terminal. */
export interface ReadDump {
  readonly model: Model;
  readonly held: Held;
}

/** Reads a dump. @throws WhorlError FLEET_FILE naming file and place */
export function readDump(path: string): ReadDump {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `it is no dump: ${cause.message}` : reasonOf(cause);
    throw new WhorlError('FLEET_FILE', `${path}: ${why}`, { cause });
  }
  const parsed = dumpSchema.safeParse(json);
  if (!parsed.success) {
    const told = parsed.error.issues.map(
      ({ path: keys, message }) => `${path} ${keys.join('.')}: ${message}`,
    );
    throw new WhorlError('FLEET_FILE', told.join('\n'));
  }
  const { model, firmware, capabilities: can, users, epoch, boots, clock, log } = parsed.data;
  const records = users.map(({ id, fields }) =>
    recordOf(
      id,
      Object.entries(fields).map(([field, bytes]) => [Number(field), Buffer.from(bytes, 'hex')]),
    ),
  );
  return {
    model: { ...modelIn(model, firmware), firmware, capabilities: can },
    held: { epoch, boots, clock, log, users: records },
  };
}

/** One of its firmwares, or the one that it comes with when it was never had here. */
function modelIn(model: Dump['model'], firmware: string): Model {
  const file = typeof model === 'string' ? modelFileOf(model) : model;
  return modelOf(file, firmware) ?? firstOf(file);
}

/** A user whom nobody knows: every field that tells of a person is replaced by one of the same size. */
export function pseudonymous({ id, fields }: UserRecord, salt: Uint8Array): UserRecord {
  return recordOf(
    id,
    [...fields].map(([number, bytes]) => [number, replaced(number, bytes, salt)]),
  );
}

const KEPT: readonly (string | undefined)[] = ['validity', 'authMode', 'groups'];

function replaced(number: number, bytes: Uint8Array, salt: Uint8Array): Uint8Array {
  const name = fieldName(number);
  if (name !== undefined && KEPT.includes(name)) return bytes;
  const other = (kind: string, value: Uint8Array): Uint8Array => stream(salt, kind, value);
  switch (credentialOf(number)?.kind) {
    case 'card': {
      const { format, number: held } = decodeField('card.0', bytes);
      return encodeField('card.0', { format, number: other('card', held) });
    }
    case 'finger': {
      const { format, quality, first, second } = decodeField('finger.0', bytes);
      const [one, two] = [other('finger', first), other('finger', second)];
      return encodeField('finger.0', { format, quality, first: one, second: two });
    }
    case 'face': {
      const { format, quality, template } = decodeField('face.0', bytes);
      return encodeField('face.0', { format, quality, template: other('face', template) });
    }
    default:
      return name === 'name' ? letters(other('name', bytes)) : other(String(number), bytes);
  }
}

/** Bytes of the same number that nobody makes without the salt. */
function stream(salt: Uint8Array, kind: string, value: Uint8Array): Uint8Array {
  const key = new Uint8Array(hkdfSync('sha256', salt, hash('sha256', value, 'buffer'), kind, 32));
  return createCipheriv('aes-256-ctr', key, new Uint8Array(16)).update(new Uint8Array(value.length));
}

function letters(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => 'a'.charCodeAt(0) + (byte % 26));
}
