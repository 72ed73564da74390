import { z } from 'zod';
import { EVENT_TYPES, EVENTS } from '../events/catalogue.ts';
import type { EventType, StoredEvent } from '../events/catalogue.ts';
import type { LineStatus } from '../lines/status.ts';
import type { DatabaseTrouble } from '../sync/trouble.ts';
import type { TerminalStatus } from '../terminals/status.ts';
import { syncViewSchema } from '../tasks/view-schema.ts';
import { ERROR_VIEW } from './errors.ts';

/** What the gateway says under one topic. */
export interface TopicRow {
  /** Below `whorl/<gateway>/`. */
  readonly topic: string;
  readonly retained: boolean;
  readonly payload: z.ZodType;
  readonly doc: string;
}

const reason = z.string().optional().describe('Why it is not.');

const lineState = z.strictObject({
  state: z.enum(['opening', 'open', 'closed']),
  over: z.string().describe('What it runs over, in words.'),
  reason,
});

const terminalState = z.strictObject({
  state: z.enum(['online', 'offline', 'quarantined']),
  line: z.string(),
  address: z.int(),
  groups: z.array(z.int()).describe('Access groups that reach it.'),
  serial: z.string().optional(),
  model: z.string().optional(),
  firmware: z.string().optional(),
  reason,
});

const databaseState = z.strictObject({
  state: z.enum(['working', 'failing']),
  code: z.string().optional().describe('A code of protocol/src/errors.ts.'),
  reason,
  since: z.int().optional().describe('Milliseconds UTC.'),
});

export type DatabaseState = z.infer<typeof databaseState>;
export type LineState = z.infer<typeof lineState>;
export type TerminalState = z.infer<typeof terminalState>;

/** An event without its data, as it is published. */
export const eventEnvelope = z.strictObject({
  id: z.int().min(1).describe('Counts up; the same event has the same id, however often it comes.'),
  type: z.string(),
  time: z.int().describe('When the gateway learnt of it, milliseconds UTC.'),
  line: z.string().optional(),
  terminal: z.string().optional(),
  user: z.int().optional(),
  origin: z.enum(['terminal', 'gateway']).optional().describe('Who made the change.'),
  data: z.looseObject({}).describe('By type.'),
});

export type PublishedEvent = z.infer<typeof eventEnvelope>;

/** Where commands come, below `whorl/<gateway>/`. */
export const COMMANDS_TOPIC = 'commands';
/** Where the embedded broker puts commands that were published with the retain flag. */
export const RETAINED_TOPIC = 'retained';

export const OFFLINE = '{"state":"offline"}';
export const ONLINE = '{"state":"online"}';

/** Everything the gateway says by itself; answers follow from commands, see commands.ts. */
export const TOPICS: readonly TopicRow[] = [
  {
    topic: 'state',
    retained: true,
    payload: z.strictObject({ state: z.enum(['online', 'offline']) }),
    doc: 'Whether the gateway is there; `offline` is also its last will.',
  },
  {
    topic: 'lines/<line>/state',
    retained: true,
    payload: lineState,
    doc: 'A line. Empty when it is in the configuration no more.',
  },
  {
    topic: 'terminals/<terminal>/state',
    retained: true,
    payload: terminalState,
    doc: 'A terminal. Empty when it is in the configuration no more.',
  },
  {
    topic: syncTopic('<terminal>'),
    retained: false,
    payload: syncViewSchema,
    doc: 'A sync session of a portable terminal, about once a second while it runs, and how it ended.',
  },
  {
    topic: 'database/state',
    retained: true,
    payload: databaseState,
    doc: 'Whether the database can be written; while it cannot, changes at terminals are there only.',
  },
  ...EVENT_TYPES.map(eventRow),
  {
    topic: 'errors',
    retained: false,
    payload: z.strictObject({ topic: z.string().describe('Where it came.'), error: ERROR_VIEW }),
    doc: 'What came as a command and could not be answered, because no `id` could be read in it.',
  },
];

/** Below `whorl/<gateway>/`. */
export function syncTopic(terminal: string): string {
  return `terminals/${terminal}/sync`;
}

function eventRow(type: EventType): TopicRow {
  const { data, doc } = EVENTS[type];
  return {
    topic: eventTopic(type),
    retained: false,
    payload: eventEnvelope.extend({ type: z.literal(type), data }),
    doc,
  };
}

/** Topic of a kind of events, below `whorl/<gateway>/`. */
export function eventTopic(type: EventType): string {
  return `events/${type.replaceAll('.', '/')}`;
}

/** An event for others: named members only, so that nothing is said by accident. */
export function publishedEvent(event: StoredEvent): PublishedEvent {
  const { id, type, time, line, terminal, user, origin, data } = event;
  return {
    id,
    type,
    time,
    ...(line === undefined ? {} : { line }),
    ...(terminal === undefined ? {} : { terminal }),
    ...(user === undefined ? {} : { user }),
    ...(origin === undefined ? {} : { origin }),
    data,
  };
}

export function databaseStateOf(trouble: DatabaseTrouble | undefined): DatabaseState {
  if (trouble === undefined) return { state: 'working' };
  const { code, reason: why, since } = trouble;
  return { state: 'failing', code, reason: why, since };
}

export function lineStateOf({ state, over, reason: why }: LineStatus): LineState {
  return { state, over, ...(why === undefined ? {} : { reason: why }) };
}

export function terminalStateOf(terminal: TerminalStatus): TerminalState {
  const { state, line, address, groups, serial, model, firmware, reason: why } = terminal;
  return {
    state,
    line,
    address,
    groups: [...groups],
    ...(serial === undefined ? {} : { serial }),
    ...(model === undefined ? {} : { model }),
    ...(firmware === undefined ? {} : { firmware }),
    ...(why === undefined ? {} : { reason: why }),
  };
}
