import { LOG_KINDS, logKind, showField } from '@whorl/protocol';
import type { LogKind, LogRecord } from '@whorl/protocol';
import type { EventType, NewEvent } from '../events/catalogue.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Intake, LedgerRow, LogPosition } from '../store/store.ts';
import type { LogPage } from '../terminals/driver.ts';
import { takesUpdates } from './scope.ts';

interface IntakeInput {
  readonly terminal: string;
  readonly serial: string;
  /** Where the gateway had read to. */
  readonly position: LogPosition;
  readonly page: LogPage;
  readonly settings: RuntimeSettings;
  /** Milliseconds UTC. */
  readonly now: number;
}

const EVENT_OF: Readonly<Record<LogKind, EventType>> = {
  'user.enrolled': 'user.enrol.succeeded',
  'user.edited': 'user.update.succeeded',
  'user.deleted': 'user.delete.succeeded',
  'user.enrol.failed': 'user.enrol.failed',
  'access.granted': 'access.granted',
  'access.denied': 'access.denied',
  'terminal.started': 'terminal.started',
  'terminal.clock.set': 'terminal.clock.set',
  'terminal.tampered': 'terminal.tampered',
  'log.cleared': 'terminal.log.cleared',
};

/** What a page of logs leads to: events, pulls, and ledger rows for users deleted at the terminal. */
export function intakeOf(input: IntakeInput): Intake {
  const { page, terminal, serial, now } = input;
  const last = page.records.at(-1);
  return {
    terminal,
    serial,
    position: { epoch: page.log.epoch, id: last?.id ?? input.position.id },
    events: [...gap(input), ...page.records.map((record) => eventOf(input, record))],
    pulls: takesUpdates(input.settings.autoSync) ? pullsOf(page.records, now) : [],
    ledger: page.records.filter((record) => deletedHere(record)).map((record) => deletedRow(input, record)),
    time: now,
  };
}

/** Whether the log of a terminal began anew, so that it is read from its first record. */
export function startsOver(position: LogPosition, page: LogPage): boolean {
  return page.log.epoch !== position.epoch || page.log.last < position.id;
}

/**
 * The newest record for each user that was enrolled or edited at the terminal; what the gateway wrote is no news. A
 * terminal's clock that runs ahead does not make a change newer than the moment when it was read.
 */
function pullsOf(records: readonly LogRecord[], now: number): Intake['pulls'] {
  const pulls = new Map<number, LogRecord>();
  for (const record of records) {
    if (record.origin !== 'terminal') continue;
    if (record.code === LOG_KINDS['user.enrolled'].code || record.code === LOG_KINDS['user.edited'].code)
      pulls.set(record.user, record);
  }
  return [...pulls].map(([user, { id, time }]) => ({ user, log: id, changed: Math.min(time, now) }));
}

function deletedHere(record: LogRecord): boolean {
  return record.code === LOG_KINDS['user.deleted'].code && record.origin === 'terminal';
}

function deletedRow(input: IntakeInput, record: LogRecord): LedgerRow {
  const row = {
    user: record.user,
    terminal: input.terminal,
    want: 'present',
    version: 0,
    attempts: 0,
  } as const;
  return input.settings.restoreDeleted
    ? { ...row, state: 'pending', nextTry: input.now }
    : { ...row, state: 'withheld', reason: 'deleted-at-terminal' };
}

function gap({ terminal, position, page, now, serial }: IntakeInput): NewEvent[] {
  const first = page.records[0]?.id;
  if (first === undefined || first <= position.id + 1) return [];
  return [
    {
      type: 'terminal.log.gap',
      time: now,
      terminal,
      data: { after: position.id, first, reason: 'records were overwritten before they could be read' },
      source: `${sourceOf(serial, page.log.epoch, first)}/gap`,
    },
  ];
}

function eventOf({ terminal, serial, page, now }: IntakeInput, record: LogRecord): NewEvent {
  const kind = logKind(record.code);
  const type = kind === undefined ? 'terminal.log.unknown' : EVENT_OF[kind];
  const data = {
    log: record.id,
    at: record.time,
    ...(type === 'terminal.log.unknown' ? { code: record.code } : {}),
    ...(record.detail !== 0 && (type === 'user.enrol.succeeded' || type === 'user.update.succeeded')
      ? { field: showField(record.detail) }
      : {}),
  };
  // The table EVENT_OF pairs each kind with an event whose data has these members.
  return {
    type,
    time: now,
    terminal,
    origin: record.origin,
    ...(record.user === 0 ? {} : { user: record.user }),
    data,
    source: sourceOf(serial, page.log.epoch, record.id),
  } as NewEvent;
}

function sourceOf(serial: string, epoch: number, id: number): string {
  return `${serial}/${epoch}/${id}`;
}
