import { z } from 'zod';
import type { EventRow } from './row.ts';

const site = z.string().describe('Name of the other gateway.');
const code = z.string().describe('A code of protocol/src/errors.ts, which says what to do.');
const who = z.string().describe('Name of the account.');
const reason = z.string().describe('Why, in a sentence.');

/** What happens between master and satellites. */
export const SITE_EVENTS = {
  'site.online': {
    level: 'info',
    data: z.strictObject({ site }),
    doc: 'A satellite is at the broker; at a satellite: it has logged in at its master.',
  },
  'site.offline': {
    level: 'warning',
    data: z.strictObject({ site }),
    doc: 'A satellite is not at the broker any more; at a satellite: its master does not answer. It goes on by itself.',
  },
  'site.refused': {
    level: 'error',
    data: z.strictObject({ site, code, reason }),
    doc: 'A login between gateways was refused: a wrong password, another machine, a copy, another version.',
  },
  'site.accepted': {
    level: 'info',
    data: z.strictObject({ site, code: z.string().describe('That it had been refused with.') }),
    doc: 'A satellite that had been refused has logged in; at a satellite, `site.online` tells it.',
  },
  'site.failed': {
    level: 'warning',
    data: z.strictObject({ site, code, reason }),
    doc: 'An exchange between gateways failed; it is tried again.',
  },
  'site.held': {
    level: 'warning',
    data: z.strictObject({ site, users: z.int().describe('How many wait to be removed.') }),
    doc: 'The master would have so many users removed here that they were kept; `whorl sites sync --release` removes them.',
  },
  'site.lost': {
    level: 'warning',
    data: z.strictObject({ site }),
    doc: 'The other gateway is older than what was got from it, as after restoring a backup; what it has lost is offered to it.',
  },
  'site.clock.wrong': {
    level: 'warning',
    data: z.strictObject({
      site,
      seconds: z.int().describe('How much its clock is ahead; below 0: behind.'),
    }),
    doc: 'The clocks of the two gateways are more than a minute apart, so that times of events are wrong, and which change was later; users and cursors do not depend on it. One of them has to be set by a time server.',
  },
  'site.restored': {
    level: 'warning',
    data: z.strictObject({
      site: z.string().describe('The satellite that was the first to say so.'),
      until: z.int().describe('Of the last thing that is known from before, milliseconds UTC.'),
    }),
    doc: 'At the master: a satellite has got more of it than it has, as its database is a backup. Satellites tell again what was lost, each with its next exchange; what only an access rule or a name changed is asked of an operator, as a conflict.',
  },
  'site.added': {
    level: 'info',
    data: z.strictObject({ site, syncId: z.int() }),
    doc: 'A satellite was added to the list.',
  },
  'site.changed': {
    level: 'info',
    data: z.strictObject({ site }),
    doc: 'A satellite of the list was changed.',
  },
  'site.removed': {
    level: 'warning',
    data: z.strictObject({ site }),
    doc: 'A satellite was removed from the list; it is let in no more.',
  },
  'site.reset': {
    level: 'warning',
    data: z.strictObject({ site }),
    doc: 'Machine, tokens and cursors of a satellite were forgotten: the next machine that logs in with its password is this site.',
  },
  'site.code.set': {
    level: 'warning',
    data: z.strictObject({ who }),
    doc: 'The code of the sync settings was set or changed.',
  },
  'site.code.wrong': {
    level: 'warning',
    data: z.strictObject({ who, tries: z.int().describe('Tries since the last right one.') }),
    doc: 'Somebody came with a wrong code for the sync settings.',
  },
  'site.unlocked': {
    level: 'info',
    data: z.strictObject({ who, minutes: z.int() }),
    doc: 'The sync settings were opened for an account.',
  },
  'site.locked': {
    level: 'info',
    data: z.strictObject({ why: z.enum(['asked', 'time', 'code']) }),
    doc: 'The sync settings are closed again: somebody did it, their time was over, or their code is another one.',
  },
} as const satisfies Record<string, EventRow>;
