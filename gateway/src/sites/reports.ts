import type { HoldingRow, ReportFilter, ReportRow, SiteStore } from '../store/sites.ts';

/** What a report can be about. */
export const REPORTS = {
  enrolments: {
    columns: ['time', 'site', 'terminal', 'user', 'name', 'field'],
    doc: 'who was enrolled where, and when',
  },
  entries: { columns: ['time', 'site', 'terminal', 'user', 'name'], doc: 'who entered which door, and when' },
  refusals: {
    columns: ['time', 'site', 'terminal', 'user', 'name'],
    doc: 'who was not let in where, and when',
  },
  holdings: {
    columns: ['site', 'terminal', 'user', 'name', 'checked'],
    doc: 'which terminal holds whom, and when that was last seen',
  },
} as const;
export type ReportKind = keyof typeof REPORTS;

/** One line: values by column; times are ISO 8601, UTC. */
export type ReportLine = Readonly<Record<string, string | number>>;

export interface ReportWish {
  readonly kind: ReportKind;
  /** Name of a gateway; all of them when absent. */
  readonly site: string | undefined;
  /** Milliseconds UTC, inclusive; not for holdings. */
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly until?: number | undefined;
}

export interface ReportParts {
  readonly store: SiteStore;
  /** Name of this gateway. */
  readonly own: string;
  /** Satellites that are in the list, by sync id. */
  readonly sites: ReadonlyMap<number, string>;
  readonly wish: ReportWish;
}

const PAGE = 500;
const TYPES = {
  enrolments: 'user.enrol.succeeded',
  entries: 'access.granted',
  refusals: 'access.denied',
} as const;

/**
 * A report, a page of lines at a time; however long it is, two pages are in memory. Events come by time, as far as each
 * gateway stored its own in that order; holdings by site.
 * @throws WhorlError STORE_*
 */
export async function* report(parts: ReportParts): AsyncGenerator<readonly ReportLine[]> {
  const { kind } = parts.wish;
  if (kind === 'holdings') {
    yield* holdings(parts);
    return;
  }
  let page: ReportLine[] = [];
  for await (const row of events(parts, TYPES[kind])) {
    page.push(eventLine(parts, kind, row));
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}

/** Events of this gateway and of the others, brought together by time. */
async function* events({ store, own, wish }: ReportParts, type: string): AsyncGenerator<ReportRow> {
  const { site, from, until, kind } = wish;
  // What the gateway itself wrote to a terminal is no enrolment.
  const origin = kind === 'enrolments' ? ('terminal' as const) : undefined;
  const filter = { type, origin, from, until, limit: PAGE };
  const mine = site === undefined || site === own ? rowsOf((one) => store.ownReport(one), filter) : none();
  const others = site === own ? none() : rowsOf((one) => store.siteReport(one), { ...filter, site });
  let [a, b] = [await mine.next(), await others.next()];
  for (;;) {
    if (a.done === true) {
      if (b.done === true) return;
      yield b.value;
      b = await others.next();
    } else if (b.done === true || a.value.time <= b.value.time) {
      yield a.value;
      a = await mine.next();
    } else {
      yield b.value;
      b = await others.next();
    }
  }
}

async function* rowsOf(
  read: (filter: ReportFilter) => Promise<readonly ReportRow[]>,
  filter: ReportFilter,
): AsyncGenerator<ReportRow, undefined> {
  let after: ReportRow | undefined;
  for (;;) {
    const page = await read({ ...filter, after });
    yield* page;
    after = page.at(-1);
    if (after === undefined) return undefined;
  }
}

// eslint-disable-next-line require-yield -- a source without rows is one as well
async function* none(): AsyncGenerator<ReportRow, undefined> {
  return undefined;
}

async function* holdings({ store, own, sites, wish }: ReportParts): AsyncGenerator<readonly ReportLine[]> {
  const line = (site: string, { terminal, user, name = '', checked }: HoldingRow): ReportLine => ({
    ...{ site, terminal, user, name },
    checked: checked === 0 ? '' : iso(checked),
  });
  const sources = [
    { name: own, read: (after: HoldingRow | undefined) => store.ownHoldings(after, PAGE) },
    ...[...sites].map(([id, name]) => ({
      name,
      read: (after: HoldingRow | undefined) => store.siteHoldings(id, after, PAGE),
    })),
  ];
  for (const { name, read } of sources) {
    if (wish.site !== undefined && wish.site !== name) continue;
    for (let page = await read(undefined); page.length > 0; page = await read(page.at(-1)))
      yield page.map((row) => line(name, row));
  }
}

function eventLine({ own, sites }: ReportParts, kind: ReportKind, row: ReportRow): ReportLine {
  const { time, site, teller = '', terminal = '', user = '', name = '', data } = row;
  const known = teller === '' ? `sync id ${site}` : `${teller} (removed)`;
  const where = site === undefined ? own : sites.get(site) === teller ? teller : known;
  const { field } = data;
  return {
    ...{ time: iso(time), site: where, terminal, user, name },
    ...(kind === 'enrolments' ? { field: typeof field === 'string' ? field : '' } : {}),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
