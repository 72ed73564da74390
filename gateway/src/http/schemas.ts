import { z } from 'zod';
import type { Operations } from '../sync/operations.ts';
import { nearest, WhorlError } from '@whorl/protocol';

/** How many to answer, in a query. */
export const count = z.coerce.number().int().min(1).max(10_000);
/** A user's id, in a path or query. */
export const userId = z.coerce.number().int().min(1).max(0xffff_ffff);
/** A name of something. */
export const text = z.string().min(1).max(64);
/** After this one, in a query. */
export const after = z.coerce.number().int().min(0);
/** Of somebody who may log in. */
export const accountName = z
  .string()
  .regex(/^[a-z][a-z0-9._-]{1,31}$/, 'small letters, digits, dots and dashes, 2 to 32, a letter first');
/** Never told again. */
export const secret = z.string().min(1).max(512).meta({ format: 'password', writeOnly: true });
/** Where there is nothing more to say than that it was done. */
export const done = z.strictObject({});
export const milliseconds = z.int().describe('Milliseconds UTC.');

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the members that are undefined. */
export function definedOnly<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Defined<T>;
}

/** A misspelt name would be answered with an empty list. @throws WhorlError TERMINAL_UNKNOWN */
export async function knownTerminal(operations: Operations, name: string | undefined): Promise<void> {
  if (name === undefined) return;
  const { terminals } = await operations.status();
  const names = terminals.map((terminal) => terminal.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  throw new WhorlError('TERMINAL_UNKNOWN', `no terminal is called ${name}${hint}`);
}
