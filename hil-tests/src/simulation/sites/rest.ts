import { isQuiet } from './people.ts';
import type { Premises } from './premises.ts';
import type { Run } from './run.ts';

const MOST_ROUNDS = 30;
const PATIENCE_MS = 3_600_000;
const CALM = { lost: 0, doubled: 0, delayMs: 20 };

/** Brings up whoever is out of order, and gives links back, when it is time; all of them when `all`. */
export async function seeTo(run: Run, all = false): Promise<void> {
  const { company, down, cut } = run;
  const now = company.clock.now();
  for (const [syncId, until] of cut)
    if (all || until <= now) {
      cut.delete(syncId);
      company.bus.link(syncId, true);
    }
  if (all)
    for (const one of [company.master, ...company.satellites]) {
      if (one.isUp) one.now.ground.dieAtCommit(Infinity, true);
      one.plan.machine?.disk.losePowerAfter(Infinity);
    }
  for (const [premises, until] of down)
    if (!premises.isUp && (all || until <= now)) {
      down.delete(premises);
      await company.passing(company.begin(premises));
      run.trace.push(`${premises.name} comes up`);
    }
  if (all) down.clear();
}

/** Mends everything and waits until everybody has everything. @throws Error naming what does not come to rest */
export async function comeToRest(run: Run): Promise<void> {
  const { company } = run;
  company.bus.weather = CALM;
  await seeTo(run, true);
  for (const { plan } of company.satellites) await plan.hall?.plug();
  for (const site of company.satellites) if (site.plan.hall !== undefined) await quiet(run, site);
  let before = '';
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    for (const site of company.satellites) await exchanged(run, site);
    for (const site of company.satellites) if (site.plan.hall !== undefined) await quiet(run, site);
    const after = await heads(run);
    if (after === before) return;
    before = after;
  }
  throw new Error(
    `S7 after ${MOST_ROUNDS} exchanges of everybody there is still something to exchange: ${before}`,
  );
}

/** Patience with what a master says that has just begun. */
const MOST_TRIES = 15;

async function exchanged({ company }: Run, site: Premises): Promise<void> {
  let code: string | undefined;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    code = await company.tried(site.now.service.operations.sync({ release: true }));
    if (code === undefined) return;
    await company.pass(60_000);
  }
  throw new Error(`S7 ${site.name} cannot exchange with its master: ${code ?? ''}`);
}

async function heads({ company }: Run): Promise<string> {
  const all = await Promise.all(
    [company.master, ...company.satellites].map(async ({ now }) => (await now.store.sites.heads()).users),
  );
  return all.join(' ');
}

async function quiet({ company }: Run, site: Premises): Promise<void> {
  const hall = site.plan.hall;
  for (const end = company.clock.now() + PATIENCE_MS; company.clock.now() < end;) {
    if ((await isQuiet(site)) && (await isRead(site, hall?.terminals ?? new Map()))) return;
    await company.pass(500);
  }
  const { terminals } = await site.now.gateway.operations.status();
  throw new Error(`${site.name}: its terminals do not come to rest: ${JSON.stringify(terminals)}`);
}

async function isRead(
  { now }: Premises,
  terminals: NonNullable<Premises['plan']['hall']>['terminals'],
): Promise<boolean> {
  const read = new Map((await now.store.terminals()).map((row) => [row.name, row.position.id]));
  return [...terminals].every(([name, terminal]) => (read.get(name) ?? 0) >= (terminal.logs(1)[0]?.id ?? 0));
}
