import type { Terminal } from '@whorl/device-emulator';
import { changeUser } from '@whorl/gateway/sync/users';
import { encodeField, FIELDS, recordOf, VirtualClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { Company } from './company.ts';
import { Hall } from './hall.ts';
import { isQuiet } from './people.ts';
import type { Premises } from './premises.ts';

const USERS = 60;
const FINGER = FIELDS['finger.0'].number;
const DOORS = 5;

interface Scene {
  readonly company: Company;
  readonly site: Premises;
  readonly terminals: ReadonlyMap<string, Terminal>;
}

/** A satellite whose five terminals hold what the master has. */
async function settled(seed: number): Promise<Scene> {
  const company = await Company.open({
    ...{ seed, satellites: 1, halls: 1, embedded: false, groupsOf: () => undefined },
  });
  onTestFinished(() => company.close());
  const [site] = company.satellites;
  const hall = site?.plan.hall;
  if (site === undefined || hall === undefined) throw new Error('no site');
  await hall.plug();
  const fingers = await taken(USERS);
  for (let user = 1; user <= USERS; user += 1)
    await write(
      company,
      user,
      [FIELDS.name.number, encodeField('name', `User ${user}`)],
      [FINGER, fingers(user)],
    );
  const scene = { company, site, terminals: hall.terminals };
  await atRest(scene);
  return scene;
}

/** Fingers that were taken far away: terminals look at what they get. */
async function taken(users: number): Promise<(user: number) => Uint8Array> {
  const far = new Hall(new VirtualClock(), 99, ['far']).terminals.get('far');
  for (let user = 1; user <= users; user += 1) far?.enrol({ user, finger: 0 });
  return (user) => far?.record(user)?.fields.get(FINGER) ?? new Uint8Array();
}

/** Somebody is changed at the master. */
function write(company: Company, user: number, ...fields: [number, Uint8Array][]): Promise<unknown> {
  const { site } = company.master.now.gateway;
  return company.passing(
    changeUser(site, user, (held) => recordOf(user, new Map([...(held?.record.fields ?? []), ...fields]))),
  );
}

/** Until nobody has anything to tell anybody. */
async function atRest({ company, site }: Scene): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await company.passing(site.now.service.operations.sync({ release: true }));
    for (let tries = 0; !(await isQuiet(site)); tries += 1) {
      if (tries === 600) throw new Error(JSON.stringify(await site.now.gateway.operations.status()));
      await company.pass(500);
    }
  }
}

/** How often a gateway wrote somebody to a terminal, or removed somebody, as the terminals have logged it. */
function written(terminals: Scene['terminals'], of: (user: number) => boolean = () => true): number {
  return [...terminals.values()]
    .flatMap((terminal) => terminal.logs())
    .filter(({ origin, user }) => origin === 'gateway' && user > 0 && of(user)).length;
}

/** A new disk, and the reset at the master; nothing runs. */
async function loseDisk({ company, site }: Scene): Promise<void> {
  await company.passing(company.end(site));
  site.loseDisk();
  await company.passing(company.master.now.service.operations.reset(site.name));
}

async function lineBytes({ now }: Premises): Promise<{ readonly in: number; readonly out: number }> {
  const { lines } = await now.gateway.operations.status();
  const sum = (one: 'bytesIn' | 'bytesOut'): number =>
    lines.reduce((all, { counters }) => all + counters[one], 0);
  return { in: sum('bytesIn'), out: sum('bytesOut') };
}

test(
  'S11 a satellite that lost its disk compares its terminals and rewrites none of them, and nobody who was deleted meanwhile comes back',
  { timeout: 60_000 },
  async () => {
    const scene = await settled(1);
    const { company, site, terminals } = scene;
    expect(written(terminals)).toBe(DOORS * USERS);
    await loseDisk(scene);
    // Meanwhile somebody is enrolled at a door, somebody renamed at the master, and somebody deleted there.
    const [local, renamed, deleted] = [9_001, 5, 7];
    terminals.get('door-2')?.enrol({ user: local, finger: 0 });
    await write(company, renamed, [FIELDS.name.number, encodeField('name', 'Renamed')]);
    await company.passing(changeUser(company.master.now.gateway.site, deleted, () => undefined));
    company.bus.weather = { lost: 0, doubled: 0, delayMs: 400 };
    await company.begin(site);
    const told = await initialisation(scene);
    // It tells what is left and how long that takes, while the terminals take part already.
    expect(told.some(({ left, leftMs }) => left > 0 && (leftMs ?? 0) > 0)).toBe(true);
    company.bus.weather = { lost: 0, doubled: 0, delayMs: 20 };
    await atRest(scene);
    const others = (user: number): boolean => ![local, renamed, deleted].includes(user);
    expect(written(terminals, others)).toBe(DOORS * (USERS - 2));
    expect(written(terminals, (user) => user === local)).toBe(DOORS - 1);
    // 60 users with a finger are about 24 KB at each of five doors: what crossed the line are digests.
    const { out } = await lineBytes(site);
    expect(out).toBeLessThan(24_000);
    const atMaster = company.master.now.store;
    expect(await atMaster.user(deleted)).toBeUndefined();
    expect(await atMaster.countConflicts()).toBe(0);
    for (const terminal of terminals.values()) {
      expect(terminal.userCount).toBe(USERS);
      expect(terminal.record(deleted)).toBeUndefined();
      expect(terminal.users()).toEqual(terminals.get('door-1')?.users());
    }
    expect((await site.now.service.operations.status()).master).toMatchObject({ complete: true });
  },
);

/** Watches it until everything has come. */
async function initialisation({
  company,
  site,
}: Scene): Promise<readonly { readonly left: number; readonly leftMs: number | undefined }[]> {
  const told: { left: number; leftMs: number | undefined }[] = [];
  for (let seconds = 0; seconds < 600; seconds += 1) {
    const { master } = await site.now.service.operations.status();
    if (master?.complete === true) return told;
    told.push({ left: master?.left ?? 0, leftMs: master?.leftMs });
    await company.pass(1_000);
  }
  throw new Error('it does not end');
}

test(
  'S11 an initialisation that is cut off by a kill goes on, and no terminal is rewritten for it',
  { timeout: 60_000 },
  async () => {
    const scene = await settled(2);
    const { company, site, terminals } = scene;
    await loseDisk(scene);
    company.bus.weather = { lost: 0, doubled: 0, delayMs: 400 };
    await company.begin(site);
    for (let users = 0; users < USERS / 3; users = await site.now.store.countUsers()) await company.pass(200);
    // What came is verified at doors that held it, before the rest has come.
    const { terminals: doors } = await site.now.gateway.operations.status();
    expect(doors.map(({ unknown }) => unknown)).toEqual(Array.from({ length: DOORS }, () => 'new'));
    expect(await site.now.store.countUsers()).toBeLessThan(USERS);
    expect(doors.some(({ ledger }) => ledger.verified > 0)).toBe(true);
    await company.kill(site);
    await company.begin(site);
    await atRest(scene);
    expect(written(terminals)).toBe(DOORS * USERS);
    expect(await site.now.store.countUsers()).toBe(USERS);
  },
);
