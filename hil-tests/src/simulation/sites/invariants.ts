import { writeRecord } from '@whorl/protocol';
import type { Store } from '@whorl/gateway';
import { belongs } from '@whorl/gateway/sites/belonging';
import { faultsOf } from '../../powerloss/contents.ts';
import { nameIn } from './people.ts';
import type { Premises } from './premises.ts';
import { comeToRest } from './rest.ts';
import type { Run } from './run.ts';

type StoredUser = NonNullable<Awaited<ReturnType<Store['user']>>>;

/** A company at rest. */
interface Quiet {
  readonly master: ReadonlyMap<number, StoredUser>;
  readonly sites: ReadonlyMap<Premises, ReadonlyMap<number, StoredUser>>;
  /** Groups that reach each site; everybody when absent. */
  readonly reach: ReadonlyMap<string, readonly number[] | undefined>;
}

interface Invariant {
  readonly name: string;
  /** @throws Error naming what is not as it must be */
  readonly check: (run: Run, quiet: Quiet) => Promise<void> | void;
}

/** All that must be true of a company at rest, whatever was done. */
export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'S7 who was not deleted is at the master, and nobody comes from nowhere or comes back',
    check: checkPeople,
  },
  {
    name: 'S6 S10 the master’s name is not overwritten, and none that it lost is dropped unasked',
    check: checkNames,
  },
  {
    name: 'S7 no credential that was enrolled anywhere is lost: the master holds it, or it is one side of a conflict there',
    check: checkEnrolled,
  },
  { name: 'B16 nobody has credentials of somebody who had the number before', check: checkBuried },
  { name: 'S5 a site holds what belongs there as the master has it, and nobody else', check: checkSites },
  { name: 'S6 who wrote a field is told with the site', check: checkWriters },
  { name: 'S5 the master has every event of each site once', check: checkEvents },
  { name: 'S7 nothing is done twice', check: checkOnce },
  { name: 'S9 S11 nothing is left aside, and everybody says that all is well', check: checkStatus },
  { name: 'databases are sound', check: checkDatabases },
];

/** Looks whether everything is as it must be, at rest. @throws Error naming what is not */
export async function checkInvariants(run: Run): Promise<void> {
  const { company, truth } = run;
  await comeToRest(run);
  const master = await usersOf(company.master);
  truth.settle(new Set(master.keys()));
  const list = (await company.master.now.service.operations.status()).sites ?? [];
  const quiet: Quiet = {
    master,
    sites: new Map(
      await Promise.all(company.satellites.map(async (one) => [one, await usersOf(one)] as const)),
    ),
    reach: new Map(list.map(({ name, groups }) => [name, groups])),
  };
  for (const { name, check } of INVARIANTS)
    try {
      await check(run, quiet);
    } catch (cause) {
      throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
}

async function usersOf({ now }: Premises): Promise<ReadonlyMap<number, StoredUser>> {
  const users = new Map<number, StoredUser>();
  for (const { id } of await now.store.users({ limit: 100_000 })) {
    const user = await now.store.user(id);
    if (user !== undefined) users.set(id, user);
  }
  return users;
}

function checkPeople({ truth }: Run, { master }: Quiet): void {
  for (const id of truth.people.keys()) if (!master.has(id)) throw new Error(`user ${id} is lost`);
  for (const id of master.keys()) if (!truth.people.has(id)) throw new Error(`user ${id} came from nowhere`);
}

async function checkNames({ truth, company }: Run, { master }: Quiet): Promise<void> {
  for (const [id, { name, lostName }] of truth.people) {
    const held = nameIn(master.get(id)?.record.fields ?? new Map());
    if (held === lostName && lostName !== undefined) continue;
    if (name !== undefined && held !== name)
      throw new Error(`user ${id} is called ${held ?? 'nothing'}, not ${name}`);
    if (lostName === undefined) continue;
    const asked = (await company.master.now.store.conflictsOf(id)).map(({ theirs }) =>
      nameIn(theirs.record.fields),
    );
    if (!asked.includes(lostName))
      throw new Error(`user ${id} was called ${lostName}, and nobody is asked about it`);
  }
}

async function checkEnrolled({ truth, company }: Run, { master }: Quiet): Promise<void> {
  for (const { site, user, field, value, terminal } of truth.enrolled) {
    // Two people under one id are told apart where they are.
    const there = company.satellites.find(({ name }) => name === site)?.now.store;
    const local = ((await there?.conflictsOf(user)) ?? []).filter(({ kind }) => kind === 'two-people');
    const conflicts = [...(await company.master.now.store.conflictsOf(user)), ...local];
    const records = [
      master.get(user)?.record,
      ...conflicts.flatMap(({ ours, theirs }) => [ours.record, theirs.record]),
    ];
    if (!records.some((record) => shown(record?.fields.get(field)) === value))
      throw new Error(`field ${field} of user ${user}, enrolled at ${site}/${terminal}, is lost`);
  }
}

function checkBuried({ truth }: Run, { master, sites }: Quiet): void {
  for (const { user, field, value, site } of truth.buried)
    for (const [where, users] of [
      ['hq', master] as const,
      ...[...sites].map(([{ name }, held]) => [name, held] as const),
    ])
      if (shown(users.get(user)?.record.fields.get(field)) === value)
        throw new Error(
          `field ${field} of user ${user}, enrolled at ${site} for somebody who was deleted, is at ${where}`,
        );
}

async function checkSites({ company }: Run, { master, sites, reach }: Quiet): Promise<void> {
  for (const [site, held] of sites) {
    const groups = reach.get(site.name);
    const apart = await heldApart(company.master, site);
    for (const [id, user] of master) {
      if (apart.has(id)) continue;
      const there = held.get(id);
      if (!belongs({ name: site.name, groups }, user)) continue;
      if (there === undefined) throw new Error(`${site.name}: user ${id} is missing`);
      const [ours, theirs] = [user, there].map(({ record }) =>
        Buffer.from(writeRecord(record)).toString('base64'),
      );
      if (ours !== theirs)
        throw new Error(`${site.name}: user ${id} has ${fieldsOf(there)}, the master ${fieldsOf(user)}`);
    }
    for (const id of held.keys()) {
      const known = master.get(id);
      if (apart.has(id) || (known !== undefined && belongs({ name: site.name, groups }, known))) continue;
      throw new Error(
        `${site.name}: user ${id} does not belong there${known === undefined ? ', and is not at the master' : ''}`,
      );
    }
  }
}

/** Of whom the site has somebody else, until that is decided. */
async function heldApart(master: Premises, site: Premises): Promise<ReadonlySet<number>> {
  const open = await master.now.store.conflicts({ kind: 'two-people', state: 'open', limit: 10_000 });
  return new Set(open.filter(({ terminal }) => terminal.startsWith(`${site.name}/`)).map(({ user }) => user));
}

function checkWriters({ truth }: Run, { master }: Quiet): void {
  for (const { site, terminal, user, field, value } of truth.enrolled) {
    const held = master.get(user);
    if (shown(held?.record.fields.get(field)) !== value) continue;
    const by = held?.provenance.get(field);
    if (by?.origin !== 'terminal' || by.terminal !== `${site}/${terminal}`)
      throw new Error(
        `field ${field} of user ${user} is by ${JSON.stringify(by)}, not by ${site}/${terminal}`,
      );
  }
}

async function checkEvents({ company }: Run): Promise<void> {
  for (const site of company.satellites) {
    const here = await site.now.store.events({ limit: 1_000_000 });
    const copies = await company.master.now.store.sites.siteEvents({
      site: site.plan.syncId,
      limit: 1_000_000,
    });
    const count = new Map<string, number>();
    for (const one of copies) count.set(keyOf(one), (count.get(keyOf(one)) ?? 0) + 1);
    for (const one of here) {
      const found = count.get(keyOf(one)) ?? 0;
      if (found !== 1) throw new Error(`event ${keyOf(one)} of ${site.name} is at the master ${found} times`);
    }
  }
}

function keyOf(event: { id: number; time: number; type: string }): string {
  return `${event.id} ${event.time} ${event.type}`;
}

async function checkOnce({ company, truth }: Run): Promise<void> {
  const filled = new Map<string, number>();
  for (const event of await company.master.now.store.events({ type: 'user.merged', limit: 1_000_000 }))
    if (event.type === 'user.merged')
      for (const field of event.data.filled) {
        const key = `${event.user ?? 0} ${field}`;
        filled.set(key, (filled.get(key) ?? 0) + 1);
      }
  for (const [key, times] of filled) {
    const deeds = truth.deeds.get(Number(key.split(' ')[0])) ?? 0;
    if (times > deeds)
      throw new Error(`${key} was filled ${times} times at the master, for ${deeds} enrolments`);
  }
}

async function checkStatus({ company }: Run): Promise<void> {
  for (const one of [company.master, ...company.satellites]) {
    const { aside, master, sites = [] } = await one.now.service.operations.status();
    const waiting = aside === 0 ? [] : await one.now.service.operations.aside();
    if (waiting.length > 0) throw new Error(`${one.name}: ${waiting.map(({ reason }) => reason).join('; ')}`);
    if (master?.trouble !== undefined) throw new Error(`${one.name}: ${master.trouble.text}`);
    if (master !== undefined && (!master.complete || master.waiting > 1))
      throw new Error(`${one.name}: ${master.waiting} wait, ${master.complete ? '' : 'not '}complete`);
    for (const { name, trouble } of sites)
      if (trouble !== undefined) throw new Error(`hq says of ${name}: ${trouble.text}`);
  }
}

function checkDatabases({ company }: Run): void {
  for (const { name, database } of [company.master, ...company.satellites]) {
    const faults = faultsOf(database);
    if (faults !== undefined) throw new Error(`${name}: ${faults}`);
  }
}

function shown(value: Uint8Array | undefined): string {
  return value === undefined ? '' : Buffer.from(value).toString('base64');
}

function fieldsOf({ record, version }: StoredUser): string {
  return `version ${version}: ${[...record.fields].map(([field, value]) => `${field}=${Buffer.from(value).toString('hex').slice(0, 24)}`).join(' ')}`;
}
