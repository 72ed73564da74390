import { LOG_KINDS, logKind, showField } from '@whorl/protocol';
import type { LogKind, LogRecord } from '@whorl/protocol';
import type { Doubt, EventType, NewEvent } from '../events/catalogue.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Intake, LogPosition } from '../store/store.ts';
import type { LogPage } from '../terminals/driver.ts';
import { clockEvent, clockFault, GAP_REASONS, gapIn, graver } from './doubts.ts';
import type { Gap } from './doubts.ts';
import { takesUpdates } from './scope.ts';

interface IntakeInput {
  readonly terminal: string;
  readonly serial: string;
  /** Where the gateway had read to. */
  readonly position: LogPosition;
  readonly page: LogPage;
  /** Why the terminal is in doubt already. */
  readonly doubt?: Doubt | undefined;
  readonly settings: RuntimeSettings;
  /** Who gets back there by itself, when deleted there. */
  readonly restored: ReadonlySet<number>;
  /** Its users come and go in sync sessions only: its log is news, and asks for nothing. */
  readonly portable: boolean;
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
  'operator.in': 'terminal.operator.in',
  'operator.out': 'terminal.operator.out',
  'operator.refused': 'terminal.operator.refused',
  'sync.wanted': 'terminal.sync.wanted',
  'sync.cancelled': 'terminal.sync.cancelled',
  'sync.forgets': 'terminal.sync.forgets',
  'sync.stored': 'terminal.sync.stored',
};

/** What a page of logs leads to: events, pulls, doubt, and ledger rows for users deleted at the terminal. */
export function intakeOf(input: IntakeInput): Intake {
  const { page, terminal, serial, position, now } = input;
  const lost = gapIn(position, page);
  const off = clockFault(page.records, now);
  const cleared = page.records.some((record) => record.code === LOG_KINDS['log.cleared'].code);
  const seen = graver(
    graver(input.doubt, lost?.cause ?? (cleared ? 'cleared' : undefined)),
    off === undefined ? undefined : 'clock',
  );
  const doubt = input.portable ? undefined : seen;
  return {
    terminal,
    serial,
    position: positionAfter(input),
    events: [
      ...(lost === undefined ? [] : [gapEvent(input, lost)]),
      // Records that wait to be read were written under the same wrong clock: it is told once.
      ...(off === undefined || input.doubt === 'clock' ? [] : [clockEvent(terminal, off, now)]),
      ...page.records.map((record) => eventOf(input, record)),
    ],
    untaken: !takesUpdates(input.settings.autoSync),
    pulls: input.portable ? [] : pullsOf(input),
    // What was deleted before a terminal came here says nothing about those whom it is to hold.
    ledger:
      input.portable || input.doubt === 'replaced' || input.doubt === 'new'
        ? []
        : page.records.filter((record) => deletedHere(record)).map((record) => deletedRow(input, record)),
    ...(doubt === undefined ? {} : { doubt }),
    time: now,
  };
}

function positionAfter({ page, position }: IntakeInput): LogPosition {
  const { epoch, last } = page.log;
  const newest = page.records.at(-1);
  if (newest !== undefined) return { epoch, id: newest.id, time: newest.time };
  return last > position.id ? { epoch, id: last } : { ...position, epoch };
}

/**
 * The newest record for each user that was enrolled or edited at the terminal; what the gateway wrote is no news. A
 * terminal's clock that runs ahead does not make a change newer than the moment when it was read.
 */
function pullsOf(input: IntakeInput): Intake['pulls'] {
  const pulls = new Map<number, LogRecord>();
  for (const record of input.page.records) {
    if (record.origin !== 'terminal') continue;
    if (record.code === LOG_KINDS['user.enrolled'].code || record.code === LOG_KINDS['user.edited'].code)
      pulls.set(record.user, record);
  }
  return [...pulls].map(([user, record]) => ({
    user,
    log: record.id,
    changed: Math.min(record.time, input.now),
    source: sourceOf(input, record),
  }));
}

/** Users whom people deleted at the terminal. */
export function deletedAt({ records }: LogPage): number[] {
  return [...new Set(records.filter(deletedHere).map(({ user }) => user))];
}

function deletedHere(record: LogRecord): boolean {
  return record.code === LOG_KINDS['user.deleted'].code && record.origin === 'terminal';
}

function deletedRow(input: IntakeInput, record: LogRecord): Intake['ledger'][number] {
  const row = {
    user: record.user,
    terminal: input.terminal,
    want: 'present',
    version: 0,
    attempts: 0,
    log: record.id,
    source: sourceOf(input, record),
  } as const;
  return input.restored.has(record.user)
    ? { ...row, state: 'pending', nextTry: input.now }
    : { ...row, state: 'withheld', reason: 'deleted-at-terminal' };
}

function gapEvent({ terminal, serial, page, position, now }: IntakeInput, lost: Gap): NewEvent {
  return {
    type: 'terminal.log.gap',
    time: now,
    terminal,
    data: { cause: lost.cause, after: position.id, first: lost.first, reason: GAP_REASONS[lost.cause] },
    source: `${serial}/${page.log.epoch}/${lost.first}/gap`,
  };
}

function eventOf(input: IntakeInput, record: LogRecord): NewEvent {
  const { terminal, now } = input;
  const kind = logKind(record.code);
  const type = kind === undefined ? 'terminal.log.unknown' : EVENT_OF[kind];
  const data = {
    log: record.id,
    at: record.time,
    ...detailOf(type, record),
  };
  // The table EVENT_OF pairs each kind with an event whose data has these members.
  return {
    type,
    time: now,
    terminal,
    origin: record.origin,
    ...(record.user === 0 ? {} : { user: record.user }),
    data,
    source: sourceOf(input, record),
  } as NewEvent;
}

/** What the detail of a record says, by what happened. */
function detailOf(type: EventType, { code, detail }: LogRecord): object {
  switch (type) {
    case 'terminal.log.unknown':
      return { code };
    case 'user.enrol.succeeded':
    case 'user.update.succeeded':
      return detail === 0 ? {} : { field: showField(detail) };
    case 'terminal.operator.in':
    case 'terminal.operator.out':
    case 'terminal.operator.refused':
    case 'terminal.sync.wanted':
    case 'terminal.sync.cancelled':
    case 'terminal.sync.forgets':
      return { operator: detail };
    case 'terminal.sync.stored':
      return { task: detail };
    default:
      return {};
  }
}

/** Ids may be used again by a terminal that went back to an older state; the time tells the two apart. */
function sourceOf({ serial, page }: IntakeInput, { id, time }: LogRecord): string {
  return `${serial}/${page.log.epoch}/${id}/${time}`;
}
