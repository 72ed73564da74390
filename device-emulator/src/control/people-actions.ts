import { randomBytes } from 'node:crypto';
import { PIN_SALT_BYTES, pinVerifier } from '@whorl/protocol';
import { z } from 'zod';
import type { UserFields } from '../firmware/enrolment.ts';
import { RequestError } from '../values/given.ts';
import { whole } from '../values/numbers.ts';
import { action, answering } from './action.ts';
import type { Action, TerminalPlace } from './action.ts';
import { enrolMany } from './enrol.ts';
import * as take from './options.ts';

const MOST_AT_ONCE = 100_000;

const id = z.int().describe('Id of the user; 0 when the terminal knows nobody.');

/** Who is held, and who asks to be let in, each in one go. */
export const PEOPLE_ACTIONS = {
  enrol: answering(
    'enrol users, or more credentials of one who is there',
    {
      user: take.user.optional().describe('id of the (first) user; the next free one when not given'),
      name: take.name.optional().describe('name, as shown at the terminal'),
      groups: take.groups.optional().describe('access groups, such as 1,2'),
      finger: take.finger.optional().describe('slot of the finger that is pressed'),
      fingers: take.fingers.optional().describe('so many fingers, from slot 0 on'),
      card: take.cardSlot.optional().describe('slot of the card that is held to the reader'),
      number: take.cardNumber.optional().describe('number of that card, in hex'),
      face: take.face.optional().describe('slot of the face'),
      pin: take.pin.optional().describe('PIN'),
      auth: take.authMode.optional().describe('what must be shown at a door, such as card+pin'),
      count: whole('', 1, MOST_AT_ONCE).default(1).describe('so many users, one after the other'),
    },
    z.object({ users: z.array(z.int()).describe('Ids of who was enrolled.') }),
    async ({ terminal, clock }: TerminalPlace, { number, card, pin, auth, ...enrolment }) => {
      const held = number === undefined ? card : { slot: card ?? 0, number };
      const set = secured({ pin, auth });
      return { users: await enrolMany(terminal, clock, { ...enrolment, card: held, set }) };
    },
  ),
  edit: answering(
    'change a user at the terminal’s menu',
    {
      user: take.user,
      name: take.name.optional().describe('the new name'),
      groups: take.groups.optional().describe('the new access groups, such as 1,2'),
      pin: take.pin.optional().describe('the new PIN'),
      auth: take.authMode.optional().describe('what must be shown at a door, such as card+pin'),
      clear: take.fields.default([]).describe('fields to clear, such as finger.3,name'),
    },
    z.object({ changed: z.boolean().describe('Whether anything is different now.') }),
    ({ terminal }: TerminalPlace, { user, clear, pin, auth, ...set }) => ({
      changed: terminal.edit({ user, set: { ...set, ...secured({ pin, auth }) }, clear }),
    }),
  ),
  delete: action('delete a user', { user: take.user }, ({ terminal }: TerminalPlace, { user }) => {
    terminal.remove(user);
  }),
  tap: answering(
    'ask to be let in, as whoever this is would be known',
    {
      user: take.user.optional().describe('id of the user who shows a finger, face or card'),
      card: take.cardNumber.optional().describe('number of the card that is shown, in hex'),
    },
    z.object({ granted: z.boolean(), user: id }),
    ({ terminal }: TerminalPlace, { user, card }) => {
      if (card !== undefined && user === undefined) return terminal.tap({ card });
      if (user !== undefined && card === undefined) return terminal.tap({ user });
      throw new RequestError('user', 'say who taps: --user or --card');
    },
  ),
  'enrol-fail': action(
    'begin an enrolment and give it up',
    { user: take.user.optional().describe('id of the user') },
    ({ terminal }: TerminalPlace, { user }) => {
      terminal.enrolFailed(user);
    },
  ),
  pair: answering(
    'choose "pair" in its menu: shows the code to be typed at the gateway',
    {},
    z.object({ code: z.string().describe('What the display shows.') }),
    (at: TerminalPlace) => ({ code: at.terminal.pair() }),
  ),
  tamper: action('open the housing', {}, ({ terminal }: TerminalPlace) => {
    terminal.tamper();
  }),
} satisfies Readonly<Record<string, Action<TerminalPlace>>>;

function secured({
  pin,
  auth,
}: {
  readonly pin: string | undefined;
  readonly auth: take.AuthMode | undefined;
}): UserFields {
  return {
    ...(pin === undefined ? {} : { pin: pinVerifier(pin, randomBytes(PIN_SALT_BYTES)) }),
    ...(auth === undefined ? {} : { authMode: auth }),
  };
}
