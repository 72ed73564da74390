import { z } from 'zod';
import type { EventRow } from './row.ts';
import { SITE_EVENTS } from './site-events.ts';
import { SYNC_EVENTS } from './sync-events.ts';

const none = z.strictObject({});
const fields = z.array(z.string()).describe('Field names.');
const reason = z.string().describe('Why, in a word or a sentence.');
const log = z.int().describe('Id of the terminal’s log record.');
const at = z.int().describe('Time by the terminal’s own clock, milliseconds UTC.');
const fromLog = { log, at };
const operator = z.int().describe('Operator at the terminal; 0 for nobody.');
const effects = z
  .record(
    z.string(),
    z.strictObject({
      added: z.int(),
      overwritten: z.int(),
      removed: z.int(),
      fetched: z.int(),
      left: z.int(),
    }),
  )
  .describe('How many users, by terminal.');
const conflict = z.int().describe('Id of the conflict.');
const conflictKind = z.string().describe('two-people, or the kind of field.');
const version = z.int().describe('Version of the user that this made.');

/**
 * Why it is not known any more what a terminal holds. overwritten, cleared: log records were lost before they were read.
 * clock: its clock was wrong. restored: the database is a backup, so the terminal is ahead of it. unseen: its session ended
 * before its log had shown what was written to it. new: it came with users of its own. reset, replaced, backwards: it began anew, is another one, or went back to an older state; nothing that was
 * delivered is trusted to be there.
 */
export const DOUBTS = [
  'overwritten',
  'cleared',
  'clock',
  'restored',
  'unseen',
  'new',
  'reset',
  'replaced',
  'backwards',
] as const;
export type Doubt = (typeof DOUBTS)[number];

/**
 * Every event there is. `terminal`, `user`, `line` and `origin` (who made the change) stand beside `data` in each
 * event, where they apply.
 */
export const EVENTS = {
  'gateway.started': {
    level: 'info',
    data: z.strictObject({ version: z.string() }),
    doc: 'The gateway started.',
  },
  'gateway.stopped': { level: 'info', data: none, doc: 'The gateway was asked to stop and did.' },
  'gateway.restored': {
    level: 'warning',
    data: z.strictObject({
      users: z.int(),
      erased: z.int().describe('Users of the backup who had been erased since, and were left out.'),
    }),
    doc: 'The database was replaced by a backup; each terminal is compared before anything is sent to it.',
  },
  'backup.made': {
    level: 'info',
    data: z.strictObject({ file: z.string(), bytes: z.int(), users: z.int() }),
    doc: 'A backup was made and read back.',
  },
  'backup.failed': {
    level: 'error',
    data: z.strictObject({ reason }),
    doc: 'A backup could not be made; it is tried again.',
  },
  'db.save.failed': {
    level: 'error',
    data: z.strictObject({
      code: z.string().describe('A code of protocol/src/errors.ts, which says what to do.'),
      reason,
    }),
    doc: 'The database could not take an update. Of a user at a terminal: the change lives on there only, and is fetched as soon as the database can be written.',
  },
  'db.save.recovered': {
    level: 'warning',
    data: z.strictObject({
      since: z.int().describe('When it began, milliseconds UTC.'),
      dropped: z.int().describe('Events of this time that there was no room for.'),
    }),
    doc: 'The database can be written again; what waited was stored.',
  },
  'vault.rotated': {
    level: 'info',
    data: z.strictObject({
      number: z.int().describe('Of the new master key; counts up.'),
      from: z.enum(['credential', 'variable', 'file', 'memory']).describe('Where the new one comes from.'),
      keys: z.int().describe('Data keys that were resealed.'),
    }),
    doc: 'The master key was changed; the one before opens nothing here any more. Copy the new one to where you keep a copy.',
  },
  'vault.keys.renewed': {
    level: 'info',
    data: z.strictObject({ keys: z.int().describe('Data keys that were made.') }),
    doc: 'Everybody’s record was sealed anew under a data key made for that.',
  },
  'settings.changed': {
    level: 'info',
    data: z.strictObject({ changed: z.record(z.string(), z.unknown()) }),
    doc: 'Run-time settings were changed.',
  },
  'scope.applied': {
    level: 'info',
    data: z.strictObject({ terminals: effects }),
    doc: 'Which users belong where was changed, and the ledger is in line with it. Changed back, it brings back who was removed.',
  },
  'scope.held': {
    level: 'warning',
    data: z.strictObject({ terminals: effects }),
    doc: 'The configuration would remove many users from terminals, so that was not done; `whorl scope apply` does it.',
  },
  'line.opened': { level: 'info', data: none, doc: 'A serial port or a connection is open.' },
  'line.closed': {
    level: 'warning',
    data: z.strictObject({ reason }),
    doc: 'A line could not be opened, or went away; it is tried again.',
  },
  'register.changed': {
    level: 'info',
    data: z.strictObject({
      of: z.string().describe('The terminal or module.'),
      register: z.string(),
      value: z.int().min(0).max(1),
    }),
    doc: 'A contact opened or closed, or a relay was switched: a bit that is read by Modbus has another value.',
  },
  'modbus.silent': {
    level: 'warning',
    data: z.strictObject({ of: z.string(), reason }),
    doc: 'A terminal or module does not answer by Modbus; it is asked more and more seldom, until it does.',
  },
  'modbus.answers': {
    level: 'info',
    data: z.strictObject({ of: z.string() }),
    doc: 'A terminal or module answers by Modbus.',
  },
  'terminal.online': {
    level: 'info',
    data: z.strictObject({ serial: z.string(), model: z.string(), firmware: z.string() }),
    doc: 'A terminal answers.',
  },
  'terminal.offline': {
    level: 'warning',
    data: z.strictObject({ reason }),
    doc: 'A terminal does not answer any more.',
  },
  'terminal.changed': {
    level: 'warning',
    data: z.strictObject({ before: z.string(), serial: z.string() }),
    doc: 'Another terminal answers in this place; its log is read from the beginning.',
  },
  'terminal.paired': {
    level: 'info',
    data: z.strictObject({ serial: z.string() }),
    doc: 'A terminal was paired; it is spoken with from now on.',
  },
  'terminal.unpaired': {
    level: 'warning',
    data: z.strictObject({ serial: z.string() }),
    doc: 'The pairing of a terminal was ended; it gets nothing any more.',
  },
  'terminal.quarantined': {
    level: 'warning',
    data: z.strictObject({ serial: z.string(), reason }),
    doc: 'A terminal answers that has not proven who it is; it gets nothing.',
  },
  'terminal.unknown': {
    level: 'warning',
    data: z.strictObject({ serial: z.string(), address: z.string() }),
    doc: 'A terminal that no configuration names dialled in; it was sent away.',
  },
  'terminal.log.gap': {
    level: 'warning',
    data: z.strictObject({
      cause: z.enum(['overwritten', 'cleared', 'reset', 'backwards']),
      after: z.int().describe('Last log record that was read.'),
      first: z.int().describe('The next one that is there.'),
      reason,
    }),
    doc: 'Log records were lost before they could be read; what the terminal holds is unknown until it has been compared, which begins by itself.',
  },
  'terminal.clock.wrong': {
    level: 'warning',
    data: z.strictObject({
      offMs: z.int().describe('By how much, milliseconds; positive is ahead.'),
      reason,
    }),
    doc: 'The terminal’s clock was wrong; it was set, and the terminal is compared.',
  },
  'terminal.compared': {
    level: 'info',
    data: z.strictObject({
      cause: z
        .enum([...DOUBTS, 'asked'])
        .describe('Why it was compared; asked: a person resolved differences.'),
      same: z.int(),
      different: z.int(),
      missing: z.int(),
      extra: z.int().describe('Only there.'),
      pushed: z.int().describe('Users on their way to it now.'),
      pulled: z.int().describe('Users asked back from it now.'),
    }),
    doc: 'A terminal was compared, because it was unknown what it holds or somebody asked; what differs is being brought in line.',
  },
  'terminal.started': { level: 'info', data: z.strictObject(fromLog), doc: 'The terminal started.' },
  'terminal.clock.set': {
    level: 'info',
    data: z.strictObject(fromLog),
    doc: 'The terminal’s clock was set.',
  },
  'terminal.tampered': {
    level: 'error',
    data: z.strictObject(fromLog),
    doc: 'The terminal’s housing was opened.',
  },
  'terminal.log.cleared': {
    level: 'warning',
    data: z.strictObject(fromLog),
    doc: 'The terminal’s log was cleared.',
  },
  'terminal.operator.in': {
    level: 'info',
    data: z.strictObject({ ...fromLog, operator }),
    doc: 'An operator logged in at a portable terminal.',
  },
  'terminal.operator.out': {
    level: 'info',
    data: z.strictObject({ ...fromLog, operator }),
    doc: 'The operator logged out at a portable terminal.',
  },
  'terminal.operator.refused': {
    level: 'warning',
    data: z.strictObject({ ...fromLog, operator }),
    doc: 'Somebody tried to log in at a portable terminal with a wrong PIN.',
  },
  'terminal.sync.wanted': {
    level: 'info',
    data: z.strictObject({ ...fromLog, operator }),
    doc: 'A portable terminal wants to sync.',
  },
  'terminal.sync.cancelled': {
    level: 'info',
    data: z.strictObject({ ...fromLog, operator }),
    doc: 'A sync was cancelled at the terminal.',
  },
  'terminal.sync.forgets': {
    level: 'warning',
    data: z.strictObject({ ...fromLog, operator }),
    doc: 'An operator confirmed at a portable terminal that unsent changes are lost with the next download.',
  },
  'terminal.sync.stored': {
    level: 'info',
    data: z.strictObject({ ...fromLog, task: z.int().describe('Number of the sync task.') }),
    doc: 'A downloaded slice became the live table of a portable terminal.',
  },
  'terminal.log.unknown': {
    level: 'info',
    data: z.strictObject({ ...fromLog, code: z.int() }),
    doc: 'The terminal logged something that this release does not know.',
  },
  'access.granted': { level: 'info', data: z.strictObject(fromLog), doc: 'A user was let in.' },
  'access.denied': {
    level: 'info',
    data: z.strictObject(fromLog),
    doc: 'A user, or somebody unknown, was refused.',
  },
  'user.enrol.succeeded': {
    level: 'info',
    data: z.strictObject({ ...fromLog, field: z.string().optional() }),
    doc: 'A user was enrolled at a terminal (origin terminal), or written there by the gateway (origin gateway).',
  },
  'user.enrol.failed': {
    level: 'warning',
    data: z.strictObject(fromLog),
    doc: 'An enrolment at a terminal was not completed.',
  },
  'user.update.succeeded': {
    level: 'info',
    data: z.strictObject({ ...fromLog, field: z.string().optional() }),
    doc: 'A user was changed at a terminal, by people there (origin terminal) or by the gateway (origin gateway).',
  },
  'user.update.failed': {
    level: 'warning',
    data: z.strictObject({ reason, attempts: z.int() }),
    doc: 'A terminal did not take a user from the gateway; see the ledger.',
  },
  'user.delete.succeeded': {
    level: 'info',
    data: z.strictObject(fromLog),
    doc: 'A user was deleted at a terminal, by people there or by the gateway.',
  },
  'user.delete.failed': {
    level: 'warning',
    data: z.strictObject({ reason, attempts: z.int() }),
    doc: 'A terminal did not remove a user for the gateway; see the ledger.',
  },
  'user.pull.failed': {
    level: 'warning',
    data: z.strictObject({ reason, attempts: z.int() }),
    doc: 'A user could not be fetched from the terminal; it is tried again.',
  },
  'user.merged': {
    level: 'info',
    data: z.strictObject({
      ...{ version, filled: fields, replaced: fields, kept: fields },
      task: z.int().optional().describe('The sync task that brought it.'),
      operator: z.int().optional().describe('Who was logged in at the portable terminal.'),
    }),
    doc: 'What a terminal holds was merged: vacant fields were filled, others replaced where their policy says so, the rest kept as the gateway has them.',
  },
  ...SYNC_EVENTS,
  ...SITE_EVENTS,
  'user.added': {
    level: 'info',
    data: z.strictObject({ version, fields }),
    doc: 'A user was added at the gateway.',
  },
  'user.changed': {
    level: 'info',
    data: z.strictObject({ version, fields }),
    doc: 'A user was changed at the gateway.',
  },
  'conflict.opened': {
    level: 'warning',
    data: z.strictObject({ conflict, kind: conflictKind, fields }),
    doc: 'A terminal holds something that the merge did not take: see `whorl conflicts`.',
  },
  'conflict.resolved': {
    level: 'info',
    data: z.strictObject({
      conflict,
      kind: conflictKind,
      took: z.enum(['ours', 'theirs', 'new-id']),
      newUser: z.int().optional().describe('The id that the terminal’s person has now.'),
    }),
    doc: 'An operator decided a conflict.',
  },
  'conflict.undone': {
    level: 'info',
    data: z.strictObject({ conflict, kind: conflictKind }),
    doc: 'The decision of a conflict was taken back; it is open again.',
  },
  'user.erased': {
    level: 'warning',
    data: z.strictObject({ keys: z.array(z.string()).describe('Ids of the data keys that were destroyed.') }),
    doc: 'A user was erased on request: nothing of them can be read any more, in backups neither.',
  },
  'user.returned': {
    level: 'warning',
    data: z.strictObject({
      how: z.enum(['deleted', 'erased']),
      by: z.string().describe('Who did it.'),
      at: z.int().describe('When, milliseconds UTC.'),
    }),
    doc: 'A terminal held a user who had been deleted at the gateway; they are removed there again.',
  },
  'user.removed': { level: 'info', data: none, doc: 'A user was deleted at the gateway.' },
} as const satisfies Record<string, EventRow>;

export type EventType = keyof typeof EVENTS;
export type EventData<Type extends EventType> = z.infer<(typeof EVENTS)[Type]['data']>;
export type Origin = 'terminal' | 'gateway';

interface Envelope<Type extends EventType> {
  readonly type: Type;
  /** When the gateway learnt of it, milliseconds UTC. */
  readonly time: number;
  readonly line?: string;
  readonly terminal?: string;
  readonly user?: number;
  readonly origin?: Origin;
  readonly data: EventData<Type>;
  /** Makes storing it twice impossible: for events that come from a terminal's log, its serial, epoch and log id. */
  readonly source?: string;
}

/** An event before it is stored. */
export type NewEvent = { [Type in EventType]: Envelope<Type> }[EventType];

/** An event as stored; ids count up in the order of storing. */
export type StoredEvent = NewEvent & { readonly id: number };

export const EVENT_TYPES = Object.keys(EVENTS) as readonly EventType[];
