import { resumeAt } from '@whorl/gateway/sites/history';
import { historyOf } from '@whorl/gateway/sites/serving';
import { mergePulled } from '@whorl/gateway/sync/pulled';
import { decodeField, encodeField, FIELDS, recordOf } from '@whorl/protocol';
import type { Capabilities, Random } from '@whorl/protocol';
import { pick } from '../chance.ts';
import { tried } from '../deeds/deed.ts';
import type { Premises } from './premises.ts';
import type { Run } from './run.ts';
import type { Enrolled } from './truth.ts';

// What people do at the master and at the terminals of satellites.

const MASTER_ID = 1;
const CARDS = 4;
const FIRST_CARD = FIELDS['card.0'].number;
const FIRST_FINGER = FIELDS['finger.0'].number;
export const DOORS = ['door-1', 'door-2', 'door-3', 'door-4', 'door-5'];
const GROUPS = [1, 2, 3];

const EVERYTHING: Capabilities = {
  ...{ users: 100_000, logs: 10_000, cards: 8, fingers: 10, faces: 5 },
  ...{ cardFormats: [1], fingerFormats: [1], faceFormats: [1], mtu: 1100, window: 1 },
  does: { patches: true, portable: false, clock: true },
  holds: { validity: true, pin: true, authMode: true, groups: true, photo: true },
};

/** Somebody enrols a credential at a terminal: their first one there, or one more. */
export async function enrol(run: Run): Promise<string | undefined> {
  const site = someSite(run);
  if (site === undefined) return undefined;
  return site.plan.hall === undefined ? enrolStandIn(run, site) : enrolAtTerminal(run, site, site.plan.hall);
}

async function enrolStandIn(run: Run, site: Premises): Promise<string | undefined> {
  const { random, company } = run;
  const user = someone(run, site);
  const terminal = pick(random, DOORS);
  const { store, gateway } = site.now;
  const held = await store.user(user);
  const slot = random.below(CARDS);
  const field = FIRST_CARD + slot;
  const value = card(run);
  const before = held?.record.fields ?? new Map<number, Uint8Array>();
  const name: [number, Uint8Array][] =
    held === undefined && home(run, user) === site
      ? [[FIELDS.name.number, encodeField('name', `${site.name} ${user}`)]]
      : [];
  const record = recordOf(user, new Map([...before, ...name, [field, value]]));
  const stale = await isStale(run, site, user);
  const code = await company.tried(
    mergePulled(
      gateway.site,
      { user, terminal, log: 1, changed: company.clock.wallTime() },
      record,
      EVERYTHING,
    ),
  );
  if (code !== undefined || stale === 'perhaps') {
    run.truth.attempted(user);
    return `${site.name}: card ${slot} of user ${user} at ${terminal}: ${code ?? 'whoever that is'}`;
  }
  const { users: seq } = await store.sites.heads();
  const one = { site: site.name, terminal, user, field, value: Buffer.from(value).toString('base64'), seq };
  run.truth.enrolledAt(one, {
    present: held !== undefined,
    stale: stale === 'yes' ? company.clock.now() : undefined,
  });
  return `${site.name}: card ${slot} of user ${user} is enrolled at ${terminal}${held === undefined ? ', who is new there' : ''}${stale === 'yes' ? ', who is deleted' : ''}`;
}

/** On the virtual line, with all that lies between a finger and the gateway's table. */
async function enrolAtTerminal(
  run: Run,
  site: Premises,
  hall: NonNullable<Premises['plan']['hall']>,
): Promise<string | undefined> {
  const { random, truth } = run;
  const user = someone(run, site);
  const name = pick(random, DOORS);
  const terminal = hall.terminals.get(name);
  if (terminal === undefined) return undefined;
  await hall.plug();
  const isUsed = (work: Promise<boolean>): Promise<boolean> => work.catch(() => false);
  const online = await eventually(run, site, (one) => isUsed(isQuiet(one)));
  if (!online) return `${site.name}: its line is not up`;
  const present = (await site.now.store.user(user)) !== undefined;
  const stale = await isStale(run, site, user);
  const finger = random.below(CARDS);
  const field = FIRST_FINGER + finger;
  terminal.enrol({ user, finger });
  const value = Buffer.from(terminal.record(user)?.fields.get(field) ?? []).toString('base64');
  const last = terminal.logs(1)[0]?.id ?? 0;
  const read = await eventually(run, site, async (one) => {
    const position = (await one.now.store.terminals()).find((row) => row.name === name)?.position.id ?? 0;
    return position >= last && (await isQuiet(one));
  });
  if (read && stale !== 'perhaps') {
    const { users: seq } = await site.now.store.sites.heads();
    truth.enrolledAt(
      { site: site.name, terminal: name, user, field, value, seq },
      { present, stale: stale === 'yes' ? run.company.clock.now() : undefined },
    );
  } else truth.attempted(user);
  await hall.unplug();
  return `${site.name}: finger ${finger} of user ${user} is enrolled at terminal ${name}${read ? '' : ', and not fetched yet'}`;
}

/** Whether all terminals are there and nothing is on its way. */
export async function isQuiet(site: Premises): Promise<boolean> {
  const status = await site.now.gateway.operations.status();
  return (
    status.openPulls === 0 &&
    status.terminals.every(
      ({ state, unknown, ledger }) =>
        state === 'online' && unknown === undefined && ledger.pending + ledger.sending === 0,
    )
  );
}

const PATIENCE_MS = 600_000;
const LOOK_MS = 500;

async function eventually(
  { company }: Run,
  site: Premises,
  condition: (site: Premises) => Promise<boolean>,
): Promise<boolean> {
  for (const end = company.clock.now() + PATIENCE_MS; company.clock.now() < end;) {
    if (!site.isUp) return false;
    if (await condition(site)) return true;
    await company.pass(LOOK_MS);
  }
  return false;
}

/**
 * Whether the site has not heard yet that this user was deleted, and perhaps another made in their place: nobody knows
 * while neither knows whether theirs is the other's.
 */
async function isStale(
  { truth, company: { master } }: Run,
  site: Premises,
  user: number,
): Promise<'yes' | 'no' | 'perhaps'> {
  const { store } = site.now;
  const deleted = truth.deleted.get(user);
  if (deleted === undefined || (await store.user(user)) === undefined) return 'no';
  // What a master lost with its database was heard of another log; which one, only the master knows.
  if (!master.isUp) return 'perhaps';
  const cursor = await store.sites.cursor(MASTER_ID, 'users');
  if (resumeAt(await historyOf(master.now.gateway), 'users', cursor).seq >= deleted) return 'no';
  const born = (await store.sites.bases([user])).get(user)?.born ?? '';
  return born === '' ? 'perhaps' : 'yes';
}

/** People come and are let in. */
export async function comeIn(run: Run): Promise<string | undefined> {
  const { company } = run;
  const site = someSite(run);
  if (site === undefined) return undefined;
  const count = 1 + run.random.below(20);
  const code = await company.tried(
    site.now.gateway.site.tell(
      ...Array.from({ length: count }, (_, index) => ({
        ...{
          type: 'access.granted' as const,
          time: company.clock.wallTime(),
          terminal: pick(run.random, DOORS),
        },
        ...{ user: 1 + run.random.below(run.users), data: { log: index + 1, at: company.clock.wallTime() } },
      })),
    ),
  );
  return `${site.name}: ${count} events${code === undefined ? '' : `: ${code}`}`;
}

export async function add(run: Run): Promise<string | undefined> {
  const { random, truth } = run;
  const user = 1 + random.below(run.users);
  const name = `Person ${random.below(1000)}`;
  const groups = someGroups(random);
  const done = await atMaster(run, (operations) =>
    operations.addUser(user, { set: { name, groups }, clear: [] }),
  );
  if (done === 'unsure') truth.doubt(user);
  if (done === 'done') truth.added(user, name, (await run.company.master.now.store.sites.heads()).users);
  return done === 'done' ? `hq: user ${user} is added as ${name}, groups ${groups.join(' ')}` : undefined;
}

export async function rename(run: Run): Promise<string | undefined> {
  const { random, truth } = run;
  const user = anybody(run);
  const name = `Person ${random.below(1000)}`;
  const done = await atMaster(run, (operations) => operations.editUser(user, { set: { name }, clear: [] }));
  if (done === 'unsure') truth.doubt(user);
  if (done === 'done') changed(run, user);
  if (done === 'done') truth.named(user, name);
  return done === 'done' ? `hq: user ${user} is called ${name}` : undefined;
}

export async function regroup(run: Run): Promise<string | undefined> {
  const user = anybody(run);
  const groups = someGroups(run.random);
  const done = await atMaster(run, (operations) => operations.editUser(user, { set: { groups }, clear: [] }));
  if (done === 'done') changed(run, user);
  return done === 'done' ? `hq: user ${user} has groups ${groups.join(' ')}` : undefined;
}

/** Whom a backup brought back to the master, and somebody changes there, may stay. */
function changed({ truth }: Run, user: number): void {
  if (!truth.people.has(user)) truth.doubt(user);
}

export async function remove(run: Run): Promise<string | undefined> {
  const { truth, company } = run;
  const user = anybody(run);
  const apart = await isApartUnheard(run, user);
  const heard = await isAnywhere(run, user);
  const done = await atMaster(run, (operations) => operations.deleteUser(user));
  if (done === 'unsure') truth.doubt(user);
  if (done !== 'done') return undefined;
  const { sites } = company.master.now.store;
  const raced = new Set<Enrolled>();
  for (const one of truth.enrolled.filter((enrolled) => enrolled.user === user)) {
    const site = company.satellites.find(({ name }) => name === one.site);
    const reached = (await sites.cursor(site?.plan.syncId ?? 0, 'users'))?.seq ?? 0;
    if (reached < one.seq) raced.add(one);
  }
  truth.removed(user, (await sites.heads()).users, { raced, time: company.clock.now() });
  if (!heard) truth.unheard.add(user);
  if (apart) truth.doubt(user);
  return `hq: user ${user} is deleted${raced.size > 0 ? ', while sites enrol' : ''}`;
}

/** Whether a site has this user, and will remember that they are deleted. */
async function isAnywhere({ company: { satellites } }: Run, user: number): Promise<boolean> {
  for (const { now } of satellites.filter(({ isUp }) => isUp))
    if ((await now.store.user(user)) !== undefined) return true;
  return false;
}

/**
 * Whether a site keeps somebody of its own apart under this number, and has not come since its master went back to a
 * backup: whoever is deleted there then may leave the number to that one.
 */
async function isApartUnheard({ company: { master, satellites } }: Run, user: number): Promise<boolean> {
  if (!master.isUp) return false;
  const history = await historyOf(master.now.gateway);
  for (const site of satellites.filter(({ isUp }) => isUp)) {
    const { sites } = site.now.store;
    const cursor = await sites.cursor(MASTER_ID, 'users');
    const base = (await sites.bases([user])).get(user);
    if (base?.apart === true && resumeAt(history, 'users', cursor).lost) return true;
  }
  return false;
}

/** The master sends a site other users than before. */
export async function rescope(run: Run): Promise<string | undefined> {
  const { random, company } = run;
  if (!company.master.isUp) return undefined;
  const site = pick(random, company.satellites);
  const groups = random.below(3) === 0 ? null : someGroups(random);
  const { operations } = company.master.now.service;
  const confirmed = async (): Promise<void> => {
    const { confirm } = await operations.previewEdit(site.name, { groups }, { limit: 0 });
    await operations.edit(site.name, { groups }, { confirm });
  };
  const code = await company.tried(confirmed());
  return `hq: ${site.name} is reached by ${groups === null ? 'all' : groups.join(' ')}${code === undefined ? '' : `: ${code}`}`;
}

type Operations = Premises['now']['gateway']['operations'];

/** `unsure`: the master was killed meanwhile. */
async function atMaster(
  { company }: Run,
  work: (operations: Operations) => Promise<unknown>,
): Promise<'done' | 'refused' | 'unsure'> {
  if (!company.master.isUp) return 'refused';
  return tried(company.passing(work(company.master.now.gateway.operations)));
}

export function someSite({ company, random }: Run): Premises | undefined {
  const site = pick(random, company.satellites);
  return site.isUp ? site : undefined;
}

/** Every number of the upper half belongs to one site, which gives it away by itself. */
function home({ company, users }: Run, user: number): Premises | undefined {
  const { satellites } = company;
  return user <= users ? undefined : satellites[(user - users - 1) % satellites.length];
}

function someone(run: Run, site: Premises): number {
  const { random, users, company } = run;
  if (random.below(2) === 0) return 1 + random.below(users);
  const { length } = company.satellites;
  const own = company.satellites.indexOf(site);
  return users + 1 + own + length * random.below(Math.max(2, Math.floor(users / length)));
}

function anybody({ random, users }: Run): number {
  return 1 + random.below(2 * users);
}

function someGroups(random: Random): number[] {
  return GROUPS.filter(() => random.below(2) === 0);
}

function card({ count }: Run): Uint8Array {
  count.credentials += 1;
  const n = count.credentials;
  return encodeField('card.0', {
    format: 1,
    number: Uint8Array.of(9, n & 255, (n >> 8) & 255, (n >> 16) & 255),
  });
}

/** What somebody is called. */
export function nameIn(fields: ReadonlyMap<number, Uint8Array>): string | undefined {
  const bytes = fields.get(FIELDS.name.number);
  return bytes === undefined ? undefined : decodeField('name', bytes);
}
