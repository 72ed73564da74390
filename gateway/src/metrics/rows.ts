import type { LineCounters, PeerCounters } from '../lines/status.ts';
import type { SyncCount } from '../store/tasks.ts';
import type { SitesStatus } from '../sites/operations.ts';
import type { GatewayStatus } from '../sync/operations.ts';
import type { UnitStatus } from '../terminals/registers/registers.ts';

/** What the gateway's metrics are read from. */
export interface Snapshot {
  readonly status: GatewayStatus;
  /** Open pulls, by terminal that has any. */
  readonly pulls: ReadonlyMap<string, number>;
  /** Open conflicts. */
  readonly conflicts: number;
  /** Sync sessions of portable terminals, by terminal and state. */
  readonly syncs: readonly SyncCount[];
  readonly registers: readonly UnitStatus[];
  /** What this gateway is among others. */
  readonly sites?: SitesStatus;
  /** Milliseconds UTC. */
  readonly now: number;
}

type Labels = Readonly<Record<string, string>>;

/** One metric, as data. */
export interface MetricRow {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly labels: readonly string[];
  readonly doc: string;
  readonly values: (snapshot: Snapshot) => readonly (readonly [labels: Labels, value: number])[];
}

type LineOf = GatewayStatus['lines'][number];
type TerminalOf = GatewayStatus['terminals'][number];

function perLine(
  name: string,
  doc: string,
  value: (line: LineOf) => number | undefined,
  type: MetricRow['type'] = 'gauge',
): MetricRow {
  return {
    ...{ name: `whorl_line_${name}`, type, labels: ['line'], doc },
    values: ({ status }) =>
      status.lines.flatMap((line) => {
        const found = value(line);
        return found === undefined ? [] : [[{ line: line.name }, found] as const];
      }),
  };
}

function perTerminal(
  name: string,
  doc: string,
  value: (terminal: TerminalOf) => number | undefined,
  type: MetricRow['type'] = 'gauge',
): MetricRow {
  return {
    ...{ name: `whorl_terminal_${name}`, type, labels: ['line', 'terminal'], doc },
    values: ({ status }) =>
      status.terminals.flatMap((terminal) => {
        const found = value(terminal);
        return found === undefined
          ? []
          : [[{ line: terminal.line, terminal: terminal.name }, found] as const];
      }),
  };
}

/** The other end of an exchange: a satellite of a master's, or a satellite's master. */
type OtherOf =
  NonNullable<SitesStatus['sites']>[number] | (NonNullable<SitesStatus['master']> & { aside: number });

function perSite(name: string, doc: string, value: (other: OtherOf) => number | undefined): MetricRow {
  return {
    ...{ name: `whorl_site_${name}`, type: 'gauge', labels: ['site'], doc },
    values: ({ sites }) => {
      const { master, sites: below = [], aside = 0 } = sites ?? {};
      const others: readonly OtherOf[] = master === undefined ? below : [{ ...master, aside }];
      return others.flatMap((other) => {
        const found = value(other);
        return found === undefined ? [] : [[{ site: other.name }, found] as const];
      });
    },
  };
}

const SITE_METRICS: readonly MetricRow[] = [
  perSite(
    'up',
    '1 when the other gateway is there: at a master its satellites, at a satellite its master.',
    ({ online }) => (online ? 1 : 0),
  ),
  perSite('success_seconds', 'When the last exchange ended well, seconds since 1970 UTC.', ({ success }) =>
    seconds(success),
  ),
  perSite('exchange_seconds', 'How long the last exchange that ended well took.', ({ tookMs }) =>
    seconds(tookMs),
  ),
  perSite('trouble', '1 while the last login or exchange failed.', ({ trouble }) =>
    trouble === undefined ? 0 : 1,
  ),
  perSite('aside_rows', 'Rows that wait apart at the satellite, each with its reason.', (other) =>
    'aside' in other ? other.aside : other.summary?.aside,
  ),
  perSite('users', 'Users at a satellite; at the master only.', (other) =>
    'summary' in other ? other.summary.users : undefined,
  ),
  perSite('waiting_rows', 'Changes and events that have to go up; at a satellite only.', (other) =>
    'waiting' in other ? other.waiting : undefined,
  ),
];

function alone(name: string, doc: string, value: (snapshot: Snapshot) => number): MetricRow {
  return { name: `whorl_${name}`, type: 'gauge', labels: [], doc, values: (one) => [[{}, value(one)]] };
}

const LINE_COUNTERS: Readonly<Record<keyof LineCounters, readonly [name: string, doc: string]>> = {
  framesIn: ['frames_in_total', 'Frames that were sound and expected.'],
  framesOut: ['frames_out_total', 'Frames sent.'],
  bytesIn: ['bytes_in_total', 'Bytes received.'],
  bytesOut: ['bytes_out_total', 'Bytes sent.'],
  framesBad: ['frames_bad_total', 'Frames that were damaged: by checksum, stuffing or version.'],
  framesStray: [
    'frames_stray_total',
    'Sound frames that nobody waited for: late, doubled, or from elsewhere.',
  ],
  bytesDiscarded: ['bytes_discarded_total', 'Bytes that belonged to no sound frame.'],
  exchanges: ['exchanges_total', 'Requests that an answer was awaited to.'],
  retries: ['retries_total', 'Requests sent again because no answer came.'],
  timeouts: ['timeouts_total', 'Exchanges given up.'],
  opened: ['opened_total', 'Times that the line was opened.'],
};

const TERMINAL_COUNTERS: Readonly<Record<keyof PeerCounters, readonly [name: string, doc: string]>> = {
  framesIn: ['frames_in_total', 'Answers that were sound.'],
  framesBad: ['frames_bad_total', 'Damaged frames while this terminal had the word on a shared line.'],
  exchanges: ['exchanges_total', 'Requests that an answer was awaited to.'],
  retries: ['retries_total', 'Requests sent again because no answer came.'],
  timeouts: ['timeouts_total', 'Exchanges given up.'],
};

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

/** What is read when somebody asks; counted besides these is what METRICS.md names as histograms. */
export const METRICS: readonly MetricRow[] = [
  alone(
    'started_seconds',
    'When the gateway started, seconds since 1970 UTC.',
    ({ status }) => status.started / 1000,
  ),
  alone('users', 'Users that the gateway holds.', ({ status }) => status.users),
  alone('database_failing', '1 while the database cannot be written.', ({ status }) =>
    status.database === undefined ? 0 : 1,
  ),
  alone(
    'database_waiting_users',
    'Users whose last change is at a terminal only because the database cannot be written, as far as is known.',
    ({ status }) => status.database?.waiting ?? 0,
  ),
  alone('conflicts_open', 'Conflicts that wait for somebody to decide.', ({ conflicts }) => conflicts),
  ...SITE_METRICS,
  perLine('up', '1 when the line is open.', ({ state }) => (state === 'open' ? 1 : 0)),
  perLine(
    'duty_ratio',
    'Share of the time in which bytes were on their way, 0 to 1; where byte times are known.',
    ({ duty }) => duty,
  ),
  perLine('round_trip_seconds', 'Round trip of an exchange, lately.', ({ roundTripMs }) =>
    seconds(roundTripMs),
  ),
  perLine('jobs_waiting', 'Jobs that wait for the line.', ({ waiting }) => waiting),
  ...keysOf(LINE_COUNTERS).map((key) =>
    perLine(...LINE_COUNTERS[key], ({ counters }) => counters[key], 'counter'),
  ),
  perTerminal('up', '1 when the terminal is online.', ({ state }) => (state === 'online' ? 1 : 0)),
  perTerminal('quarantined', '1 when it answers and has not proven who it is.', ({ state }) =>
    state === 'quarantined' ? 1 : 0,
  ),
  perTerminal('last_seen_seconds', 'When it answered last, seconds since 1970 UTC.', ({ lastSeen }) =>
    seconds(lastSeen),
  ),
  perTerminal('round_trip_seconds', 'Round trip of an exchange with it, lately.', ({ roundTripMs }) =>
    seconds(roundTripMs),
  ),
  perTerminal(
    'clock_off_seconds',
    'How far its clock was off when it was looked at last; positive is ahead.',
    ({ clockOffMs }) => seconds(clockOffMs),
  ),
  perTerminal('users', 'Users it said it holds when it was greeted.', ({ users }) => users),
  perTerminal('capacity', 'Users that it can hold.', ({ capacity }) => capacity),
  ...keysOf(TERMINAL_COUNTERS).map((key) =>
    perTerminal(...TERMINAL_COUNTERS[key], ({ counters }) => counters[key], 'counter'),
  ),
  {
    ...{ name: 'whorl_ledger_rows', type: 'gauge', labels: ['line', 'terminal', 'state'] },
    doc: 'Users that shall be at a terminal, or be gone from it, by how that stands: pending, sending, verified, failed, withheld.',
    values: ({ status }) =>
      status.terminals.flatMap(({ line, name, ledger }) =>
        keysOf(ledger).map((state) => [{ line, terminal: name, state }, ledger[state]] as const),
      ),
  },
  {
    ...{ name: 'whorl_syncs', type: 'gauge', labels: ['terminal', 'state'] },
    doc: 'Sync sessions of portable terminals, of the newest that are kept: running, done, failed, refused, cancelled.',
    values: ({ syncs }) => syncs.map(({ terminal, state, count }) => [{ terminal, state }, count] as const),
  },
  {
    ...{ name: 'whorl_sync_done_seconds', type: 'gauge', labels: ['terminal'] },
    doc: 'When the last sync session of a portable terminal was done, seconds since 1970 UTC.',
    values: ({ syncs }) =>
      syncs.filter(({ state }) => state === 'done').map(({ terminal, last }) => [{ terminal }, last / 1000]),
  },
  {
    ...{ name: 'whorl_pulls_open', type: 'gauge', labels: ['line', 'terminal'] },
    doc: 'Users that are to be fetched from a terminal.',
    values: ({ status, pulls }) =>
      status.terminals.map(({ line, name }) => [{ line, terminal: name }, pulls.get(name) ?? 0] as const),
  },
  {
    ...{ name: 'whorl_modbus_up', type: 'gauge', labels: ['bus', 'of'] },
    doc: '1 when the terminal or module answers by Modbus.',
    values: ({ registers }) =>
      registers.map(({ bus, name, state }) => [{ bus, of: name }, state === 'answering' ? 1 : 0] as const),
  },
  {
    ...{ name: 'whorl_register', type: 'gauge', labels: ['bus', 'of', 'register'] },
    doc: 'What a register held when it was read last, scaled, in the unit that the configuration or SPEC.md names.',
    values: (snapshot) =>
      snapshot.registers.flatMap(({ bus, name, registers }) =>
        registers.flatMap(({ name: register, value }) =>
          value === undefined ? [] : [[{ bus, of: name, register }, value] as const],
        ),
      ),
  },
];

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
