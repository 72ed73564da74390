import { join } from 'node:path';
import { pick } from '../chance.ts';
import { someSite } from './people.ts';
import type { Premises } from './premises.ts';
import { comeToRest } from './rest.ts';
import type { Backup, Run } from './run.ts';
import type { Enrolled } from './truth.ts';

// What the world does to gateways and to what lies between them.

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** A master tells of a second machine until it has not come for so long. */
const RIVAL_MS = 15 * MINUTE_MS;
const CODES_OF_A_COPY = ['SITES_CLONE', 'SITES_CLASH'];

/** Minutes, hours or days. */
function aWhile({ random }: Run): number {
  return pick(random, [random.below(10 * MINUTE_MS), random.below(6 * HOUR_MS), random.below(60 * HOUR_MS)]);
}

function shown(ms: number): string {
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}

/** The way to a site is away. */
export function cutLink(run: Run): string {
  const { company, cut } = run;
  const { syncId } = pick(run.random, company.satellites).plan;
  const ms = aWhile(run);
  company.bus.link(syncId, false);
  cut.set(syncId, company.clock.now() + ms);
  return `the link of site-${syncId} is cut for ${shown(ms)}`;
}

export function weather({ company, random }: Run): string {
  const { bus } = company;
  bus.weather = pick(random, [
    { lost: 0, doubled: 0, delayMs: 20 },
    { lost: 100, doubled: 100, delayMs: 300 },
    { lost: 300, doubled: 300, delayMs: 50 },
    { lost: 20, doubled: 0, delayMs: 3_000 },
  ]);
  return `of a thousand messages ${bus.weather.lost} are lost, ${bus.weather.doubled} come twice, each takes ${bus.weather.delayMs} ms`;
}

export function brokerRestart(run: Run): string {
  const ms = run.random.below(10 * MINUTE_MS);
  run.company.restartBroker(ms);
  return `the broker is away for ${shown(ms)}`;
}

export async function killSite(run: Run): Promise<string | undefined> {
  const site = someSite(run);
  return site === undefined ? undefined : kill(run, site);
}

export async function killMaster(run: Run): Promise<string | undefined> {
  return run.company.master.isUp ? kill(run, run.company.master) : undefined;
}

/** At this moment, or amid what it stores next. */
async function kill(run: Run, premises: Premises): Promise<string> {
  const { company, random, down } = run;
  const ms = aWhile(run) / (premises === company.master ? 10 : 1);
  down.set(premises, company.clock.now() + ms);
  if (random.below(2) === 0) {
    await company.passing(company.kill(premises));
    return `${premises.name} is killed, for ${shown(ms)}`;
  }
  const commits = 1 + random.below(12);
  const keeps = random.below(2) === 0;
  premises.now.ground.dieAtCommit(commits, keeps);
  return `${premises.name} is killed ${keeps ? 'behind' : 'before'} commit ${commits}, for ${shown(ms)}`;
}

/** Operations on its disk until the power goes, at most: amid a commit, or a few of them. */
const POWER_SPAN = 60;

/** The machine of a gateway whose disk is simulated loses power amid what it writes next; what was not synced may be gone. */
export function losePower({ company, random, down }: Run): string | undefined {
  const premises = [company.master, ...company.satellites].find(({ plan }) => plan.machine !== undefined);
  if (premises?.isUp !== true) return undefined;
  const operations = 1 + random.below(POWER_SPAN);
  const ms = pick(random, [random.below(MINUTE_MS), random.below(HOUR_MS)]);
  premises.plan.machine?.disk.losePowerAfter(operations);
  down.set(premises, company.clock.now() + ms);
  return `${premises.name} has power for ${operations} more operations on its disk, and again after ${shown(ms)}`;
}

/** Whether its files lie where backups, new disks and copies of machines are simulated. */
function isOnFiles({ plan }: Premises): boolean {
  return plan.hall === undefined && plan.machine === undefined;
}

export async function restartOne(run: Run): Promise<string | undefined> {
  const { company, random } = run;
  const premises = random.below(8) === 0 ? company.master : pick(random, company.satellites);
  if (!premises.isUp) return undefined;
  await company.passing(company.end(premises));
  await company.passing(company.begin(premises));
  return `${premises.name} is restarted`;
}

export async function syncNow(run: Run): Promise<string | undefined> {
  const site = someSite(run);
  if (site === undefined) return undefined;
  void site.now.service.operations.sync({ release: false }).catch(() => undefined);
  return `${site.name}: sync now`;
}

export async function backUp(run: Run): Promise<string | undefined> {
  const { company, random } = run;
  return backUpAt(run, random.below(3) === 0 ? company.master : pick(random, company.satellites));
}

export async function backUpAt(
  { company, backups, count }: Run,
  premises: Premises,
): Promise<string | undefined> {
  if (!premises.isUp || !isOnFiles(premises)) return undefined;
  count.backups += 1;
  const file = join(company.directory, `${premises.name}-${count.backups}.backup`);
  try {
    await premises.backUp(file);
  } catch (error) {
    // Of one that was to be killed at a commit, this may have been it.
    if (isUp(premises)) throw error;
    return `${premises.name} dies while it is backed up`;
  }
  const time = company.clock.now();
  backups.set(premises, { file, time });
  return `${premises.name} is backed up at ${shown(time)}`;
}

/** Whoever made one goes back to it. */
export async function restoreSite(run: Run): Promise<string | undefined> {
  const { company, backups } = run;
  const site = [...backups.keys()].find((one) => one !== company.master);
  return site === undefined ? undefined : restoreAt(run, site);
}

export async function restoreMaster(run: Run): Promise<string | undefined> {
  return restoreAt(run, run.company.master);
}

export async function restoreAt(run: Run, premises: Premises): Promise<string | undefined> {
  const { company, backups } = run;
  const backup = backups.get(premises);
  if (backup === undefined || !premises.isUp) return undefined;
  backups.delete(premises);
  if (premises === company.master) await masterGoesBack(run, backup);
  else await siteGoesBack(run, premises, backup);
  return `${premises.name} goes back to its backup of ${shown(backup.time)}`;
}

async function siteGoesBack(run: Run, site: Premises, backup: Backup): Promise<void> {
  const { company, truth } = run;
  const reached = await reachedAtMaster(run, site);
  const apart = await heldApart(site);
  await company.passing(company.end(site));
  await site.restore(backup.file);
  truth.wentBack(site.name, reached, apart);
  await company.passing(company.begin(site));
}

/** Whom only the site itself keeps apart from somebody else. */
async function heldApart({ now }: Premises): Promise<ReadonlySet<number>> {
  const open = await now.store.conflicts({ kind: 'two-people', limit: 10_000 });
  return new Set(open.map(({ user }) => user));
}

/** How far the master has what a site did; nothing for certain while it is away. */
async function reachedAtMaster({ company }: Run, site: Premises): Promise<number> {
  if (!company.master.isUp) return -1;
  const cursor = await company.master.now.store.sites.cursor(site.plan.syncId, 'users');
  return cursor?.seq ?? 0;
}

/** What sites have of what the master loses is there again afterwards; of what nobody else has, nobody knows. */
async function masterGoesBack(run: Run, backup: Backup): Promise<void> {
  const { company, moved, truth } = run;
  const { master } = company;
  await comeToRest(run);
  const elsewhere = new Map<number, Set<string | undefined>>();
  for (const site of company.satellites)
    for (const [id, name] of await namesAt(site))
      elsewhere.set(id, (elsewhere.get(id) ?? new Set()).add(name));
  const nowhere = new Set<Enrolled>();
  for (const one of truth.enrolled) if (!(await isAtSites(run, one))) nowhere.add(one);
  await company.passing(company.end(master));
  await master.restore(backup.file);
  await company.passing(company.begin(master));
  // The master knows the machine of before again: somebody has to tell it once more.
  for (const [site, time] of moved)
    if (time > backup.time) await company.passing(master.now.service.operations.reset(site.name));
  truth.enrolled = truth.enrolled.filter((one) => !nowhere.has(one));
  const names = await namesAt(master);
  truth.masterWentBack(backup.time, new Set(names.keys()));
  for (const [user, { name }] of truth.people) {
    const known = elsewhere.get(user);
    if (known === undefined) truth.doubt(user);
    else if (names.has(user)) truth.nameWentBack(user, names.get(user), known.has(name));
  }
}

/**
 * Whether a site has what was enrolled, or the user there. Where that one does not belong, it waits in the master's
 * inbox alone.
 */
async function isAtSites({ company }: Run, { site, user, field, value }: Enrolled): Promise<boolean> {
  for (const { name, now } of company.satellites) {
    const held = await now.store.user(user);
    if (held !== undefined && name === site) return true;
    const there = held?.record.fields.get(field);
    if (there !== undefined && Buffer.from(there).toString('base64') === value) return true;
  }
  return false;
}

async function namesAt({ now }: Premises): Promise<ReadonlyMap<number, string | undefined>> {
  const users = await now.store.users({ limit: 100_000 });
  return new Map(users.map(({ id, name }) => [id, name === '' ? undefined : name]));
}

export async function loseDisk(run: Run): Promise<string | undefined> {
  const { company, truth } = run;
  const site = someSite(run);
  if (site === undefined || !isOnFiles(site) || !company.master.isUp) return undefined;
  const reached = await reachedAtMaster(run, site);
  const apart = await heldApart(site);
  await company.passing(company.end(site));
  site.loseDisk();
  truth.wentBack(site.name, reached, apart);
  run.backups.delete(site);
  run.moved.set(site, company.clock.now());
  await resetAtMaster(run, site);
  await company.passing(company.begin(site));
  return `${site.name} gets a new disk, and is reset at the master`;
}

/** A copy of a site's machine comes up beside it; either of them is refused sooner or later. A site that is gets its reset. */
export async function clone(run: Run): Promise<string | undefined> {
  const { company, random, down, cut } = run;
  const site = someSite(run);
  if (site === undefined || !isOnFiles(site) || !company.master.isUp) return undefined;
  const { syncId } = site.plan;
  if (cut.has(syncId) || down.has(company.master)) return undefined;
  const copy = company.premises(site.name, syncId, false, `copy-${Math.round(company.clock.now())}`);
  await company.passing(company.end(site));
  site.copyTo(copy.plan.directory);
  // Without a token it cannot be told from its copy until the second login.
  const isBound = copy.hasToken;
  // Whoever comes first is taken for the site.
  const isCopyFirst = random.below(3) === 0;
  const [first, second] = isCopyFirst ? [copy, site] : [site, copy];
  await company.passing(company.begin(first));
  const before = await answered(run, first);
  await company.passing(company.end(first));
  await company.passing(company.begin(second));
  const after = await answered(run, second);
  if (isBound && before === LET_IN && after === LET_IN)
    throw new Error(`S3 ${site.name} and a copy of its machine are both let in`);
  const state = isUp(company.master) ? await troubleOf(company.master, site.name) : 'is away';
  await company.passing(company.end(copy));
  if (!isUp(site)) await company.passing(company.begin(site));
  if (isCopyFirst || after === LET_IN) await resetAtMaster(run, site);
  await company.pass(RIVAL_MS);
  return `${site.name} is copied, ${isCopyFirst ? 'the copy' : 'the site'} comes first: the first ${before}, the other ${after}; the master ${state}`;
}

/** Somebody tells the master that another machine takes a site's place; again, when it dies of that. */
async function resetAtMaster({ company, down }: Run, { name }: Premises): Promise<void> {
  const { master } = company;
  for (let tries = 0; ; tries += 1) {
    if (!isUp(master)) {
      down.delete(master);
      await company.passing(company.begin(master));
    }
    const code = await company.tried(master.now.service.operations.reset(name));
    if (code === undefined) return;
    if (isUp(master) || tries > 0) throw new Error(`${name} could not be reset: ${code}`);
  }
}

/** It may have been killed since somebody looked. */
function isUp(premises: Premises): boolean {
  return premises.isUp;
}

const MOST_TRIES = 4;
const LET_IN = 'is let in';

/** @returns what an exchange ends with, once it is no matter of the link any more */
async function answered({ company }: Run, premises: Premises): Promise<string> {
  let code: string | undefined = 'is gone';
  for (let tries = 0; tries < MOST_TRIES && isUp(premises) && company.master.isUp; tries += 1) {
    code = await company.tried(premises.now.service.operations.sync({ release: false }));
    if (code === undefined || CODES_OF_A_COPY.includes(code)) break;
  }
  return code ?? LET_IN;
}

async function troubleOf(master: Premises, site: string): Promise<string> {
  const { sites } = await master.now.service.operations.status();
  return sites?.find(({ name }) => name === site)?.trouble?.code ?? 'says nothing';
}
