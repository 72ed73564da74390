import { CARD_SLOTS, FACE_SLOTS, FIELD_NAMES, FINGER_SLOTS, isFieldName } from '@whorl/protocol';
import { z } from 'zod';
import { whole } from '../values/numbers.ts';

export const user = whole('id of the user', 1, 0xffff_ffff);
export const finger = whole('slot of the finger', 0, FINGER_SLOTS - 1);
export const fingers = whole('so many fingers, from slot 0 on', 1, FINGER_SLOTS);
export const cardSlot = whole('slot of the card', 0, CARD_SLOTS - 1);
export const face = whole('slot of the face', 0, FACE_SLOTS - 1);
export const name = z.string().min(1).max(64).describe('name, as shown at the terminal');

export const cardNumber = z
  .string()
  .regex(/^([0-9a-f]{2}){1,32}$/i, 'a card number is up to 32 bytes in hex, such as 04a1b2c3')
  .transform((text) => Uint8Array.from(Buffer.from(text, 'hex')))
  .describe('number of the card, in hex');

export const groups = z
  .union([
    z.array(z.int()),
    z
      .string()
      .regex(/^\d+(,\d+)*$/, 'access groups are numbers such as 1,2')
      .transform((list) => list.split(',').map(Number)),
  ])
  .describe('access groups, such as 1,2');

export const pin = z
  .string()
  .regex(/^\d{1,16}$/, 'a PIN is digits')
  .describe('the PIN that is typed');

export const authMode = z
  .enum(['any', 'card', 'finger', 'face', 'card+pin', 'card+finger', 'finger+pin', 'face+pin'])
  .describe('what must be shown at a door, such as card+pin');

export type AuthMode = z.output<typeof authMode>;

/** A time of day, milliseconds UTC. */
export const time = z.iso
  .datetime({ offset: true, error: 'a time is written 2026-05-01T08:00:00Z' })
  .transform((text) => Date.parse(text))
  .describe('time, such as 2026-05-01T08:00:00Z');

export const fields = z
  .union([z.array(z.string()), z.string().transform((list) => list.split(','))])
  .pipe(
    z.array(
      z.string().refine(isFieldName, {
        error: (issue) => `no field ${String(issue.input)}; there are ${FIELD_NAMES.join(', ')}`,
      }),
    ),
  )
  .describe('fields to clear, such as finger.3,name');

const WORDS: Readonly<Record<string, boolean>> = {
  yes: true,
  no: false,
  on: true,
  off: false,
  true: true,
  false: false,
};

/** Yes or no, as JSON or as text. */
export function truth(help: string): z.ZodType<boolean, boolean | 'yes' | 'no' | 'on' | 'off'> {
  const wanted = z.boolean('yes or no, or on or off');
  return z
    .preprocess(
      (given: boolean | 'yes' | 'no' | 'on' | 'off') =>
        typeof given === 'string' && Object.hasOwn(WORDS, given) ? WORDS[given] : given,
      wanted,
    )
    .describe(help);
}
