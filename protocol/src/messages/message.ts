import type { Values } from '../codec/codec.ts';
import { compile } from '../codec/compile.ts';
import type { Compiled } from '../codec/compile.ts';
import { WhorlError } from '../errors.ts';
import { CATALOGUE } from './catalogue.ts';
import type { MessageRow } from './catalogue.ts';

export type MessageName = keyof typeof CATALOGUE;
export type Body<Name extends MessageName> = Values<(typeof CATALOGUE)[Name]['fields']>;
/** A message: data, with its name to tell which. */
export type Message = {
  [Name in MessageName]: { readonly name: Name; readonly body: Body<Name> };
}[MessageName];

/** Messages that a terminal answers. */
export type RequestName = {
  [Name in MessageName]: (typeof CATALOGUE)[Name] extends { answer: string } ? Name : never;
}[MessageName];
/** What answers a request when all is well. */
export type AnswerName<Name extends RequestName> = (typeof CATALOGUE)[Name]['answer'];

interface Row {
  readonly name: MessageName;
  readonly row: MessageRow;
  readonly codec: Compiled<unknown>;
}

/** All names, in the order of the catalogue. */
export const MESSAGE_NAMES = Object.keys(CATALOGUE) as readonly MessageName[];

const byName = new Map<string, Row>();
const byType: (Row | undefined)[] = new Array<Row | undefined>(256).fill(undefined);
for (const name of MESSAGE_NAMES) {
  const row: MessageRow = CATALOGUE[name];
  const entry: Row = { name, row, codec: compile(name, row.fields) };
  byName.set(name, entry);
  byType[row.type] = entry;
}

export function rowOf(name: MessageName): MessageRow {
  return CATALOGUE[name];
}

/**
 * Writes type and body into `out` from `at` on.
 * @returns the position behind them
 * @throws WhorlError MESSAGE_RANGE, MESSAGE_LONG naming the field
 */
export function encodeMessage<Name extends MessageName>(
  name: Name,
  body: Body<Name>,
  out: Uint8Array,
  at: number,
): number {
  const entry = byName.get(name);
  if (entry === undefined) throw new WhorlError('MESSAGE_UNKNOWN', name);
  out[at] = entry.row.type;
  return entry.codec.encode(body, out, at + 1);
}

/**
 * Reads a payload; blobs are views of it.
 * @throws WhorlError MESSAGE_UNKNOWN, MESSAGE_SHORT, MESSAGE_LONG, MESSAGE_RANGE naming the field
 */
export function decodeMessage(payload: Uint8Array): Message {
  const type = payload[0];
  const entry = type === undefined ? undefined : byType[type];
  if (entry === undefined)
    throw new WhorlError(
      'MESSAGE_UNKNOWN',
      `message type ${type === undefined ? 'missing' : `0x${type.toString(16).padStart(2, '0')}`}`,
    );
  return { name: entry.name, body: entry.codec.decode(payload, 1, payload.length) } as Message;
}
