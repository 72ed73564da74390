import { seededRandom } from '@whorl/protocol';
import { z } from 'zod';
import { WITH_PORTABLES } from '../portable-actions.ts';
import { deed } from './deed.ts';

const names = [
  'workThere',
  'logInAndOut',
  'dock',
  'choose',
  'sync',
  'breakOff',
  'errand',
  'breakOffAt',
  'cancel',
  'retask',
  'confuse',
] as const;

/** Something with a portable terminal, with a chance of its own. */
export const carry = deed('carry', { what: z.enum(names), seed: z.int() }, (played, { what, seed }) =>
  WITH_PORTABLES[what]({ ...played, random: seededRandom(seed) }),
);
