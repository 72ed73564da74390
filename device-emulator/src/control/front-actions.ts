import { FIELD_NAMES } from '@whorl/protocol';
import type { CredentialKind, FieldName } from '@whorl/protocol';
import { z } from 'zod';
import { RequestError } from '../values/given.ts';
import { action, answering } from './action.ts';
import type { Action, TerminalPlace } from './action.ts';
import { vacantCredential } from './enrol.ts';
import * as take from './options.ts';

const shown = z.object({
  result: z
    .enum(['granted', 'denied', 'more', 'reading', 'enrolled', 'nothing'])
    .describe(
      'more: something else has to be shown, too; reading: the enrolment needs another one; nothing: it was not asked for.',
    ),
  user: z.int().describe('0 when the terminal does not know whose it is.'),
});

/** What people do step by step at the front: hold something to a reader, press keys, enrol with several readings. */
export const FRONT_ACTIONS = {
  finger: answering(
    'press a finger: to be let in, or for the enrolment that is under way',
    {
      user: take.user.optional().describe('whose finger; a stranger’s when not given'),
      slot: take.finger.optional().describe('which finger; any that the terminal knows when not given'),
    },
    shown,
    ({ front }: TerminalPlace, given) => front.show('finger', given),
  ),
  card: answering(
    'hold a card to the reader',
    {
      user: take.user.optional().describe('whose card; a stranger’s when neither this nor a number is given'),
      slot: take.cardSlot.optional().describe('which of the user’s cards'),
      number: take.cardNumber.optional().describe('number of the card, in hex'),
    },
    shown,
    ({ front }: TerminalPlace, given) => front.show('card', given),
  ),
  face: answering(
    'look at the camera',
    {
      user: take.user.optional().describe('whose face; a stranger’s when not given'),
      slot: take.face.optional().describe('slot of the face'),
    },
    shown,
    ({ front }: TerminalPlace, given) => front.show('face', given),
  ),
  keys: answering(
    'press keys: a user’s number, #, the PIN, #; * takes back',
    {
      keys: z
        .string()
        .regex(/^[0-9*#]{1,64}$/, 'keys are 0 to 9, * and #')
        .describe('what is pressed, such as 1042#4711#'),
    },
    shown,
    ({ front }: TerminalPlace, { keys }) => front.type(keys),
  ),
  'enrol-begin': answering(
    'begin an enrolment at its menu; then press the finger three times, or hold the card, or look at the camera',
    {
      user: take.user.optional().describe('id of the user; the next free one when not given'),
      name: take.name.optional().describe('name, as shown at the terminal'),
      groups: take.groups.optional().describe('access groups, such as 1,2'),
      finger: take.finger.optional().describe('slot of the finger; what is vacant when no slot is given'),
      card: take.cardSlot.optional().describe('slot of the card'),
      face: take.face.optional().describe('slot of the face'),
    },
    z.object({
      user: z.int(),
      credential: z.string(),
      reading: z.int().describe('Readings taken.'),
      readings: z.int().describe('Readings that it takes.'),
    }),
    ({ terminal, front }: TerminalPlace, { user, name, groups, ...slots }) => {
      const id = user ?? Math.max(0, ...terminal.users().keys()) + 1;
      const credential = chosen(slots) ?? vacantCredential(terminal, id);
      return front.begin({ user: id, name, groups, credential });
    },
  ),
  'enrol-cancel': action('give up what was begun at its front', {}, ({ front }: TerminalPlace) => {
    front.cancel();
  }),
} satisfies Readonly<Record<string, Action<TerminalPlace>>>;

function chosen(slots: Readonly<Partial<Record<CredentialKind, number | undefined>>>): FieldName | undefined {
  const given = Object.entries(slots).filter(([, slot]) => slot !== undefined);
  if (given.length > 1) throw new RequestError(given[1]?.[0] ?? '', 'one of finger, card and face at a time');
  const [kind, slot = 0] = given[0] ?? [];
  return FIELD_NAMES.find((name) => name === `${kind ?? ''}.${slot}`);
}
