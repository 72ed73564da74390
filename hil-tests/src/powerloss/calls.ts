import type { Store } from '@whorl/gateway';
import { encodeUser, readRecord } from '@whorl/protocol';
import type { Random, UserRecord } from '@whorl/protocol';

const TERMINALS = ['door', 'gate', 'lift'] as const;
const USERS = 5;

type Change = Parameters<Store['saveUser']>[0];
type Ledger = Change['ledger'][number];
type Conflict = NonNullable<Change['conflicts']>[number];

/** Something asked of a store, ready to be asked again. */
export interface Call {
  readonly name: string;
  /** Whether asking twice must have the effect of once. */
  readonly again: boolean;
  /** Whether it may be asked together with others. */
  readonly together: boolean;
  readonly ask: (store: Store) => Promise<unknown>;
}

export interface Planning {
  readonly store: Store;
  readonly random: Random;
  /** Milliseconds UTC; counts up by one with each call. */
  readonly now: number;
}

type Planner = (planning: Planning) => Promise<Call | undefined>;

/** What a gateway asks of its store, in about the proportion of a working day; the rare more often than that. */
const PLANNERS: readonly Planner[] = [
  ...[intake, intake, intake, merge, merge, merge, merge, send, verify, verify, edit, edit, remove],
  ...[erase, rotate, rotate, compare, doubt, postpone, readmit, decide, spread],
  ...[pairing, settings, note, partial, addJob, saveJob, audit, account, token, events],
];

/** @returns what comes next */
export async function planCall(planning: Planning): Promise<Call> {
  for (;;) {
    const call = await pick(planning.random, PLANNERS)(planning);
    if (call !== undefined) return call;
  }
}

function call(name: string, ask: Call['ask'], { again = true, together = true } = {}): Call {
  return { name, ask, again, together };
}

async function intake({ store, random, now }: Planning): Promise<Call> {
  const terminal = pick(random, TERMINALS);
  const known = (await store.terminals()).find((row) => row.name === terminal)?.position;
  const position = { epoch: known?.epoch ?? 1, id: (known?.id ?? 0) + 1 };
  const user = someone(random);
  const source = `S-${terminal}/${position.epoch}/${position.id}`;
  const event = {
    type: 'user.update.succeeded',
    origin: 'terminal',
    data: { log: position.id, at: now },
  } as const;
  const page = {
    ...{ terminal, serial: `S-${terminal}`, position, time: now },
    events: [{ ...event, time: now, terminal, user, source }],
    pulls: [{ user, log: position.id, changed: now, source }],
    ledger: [{ ...row({ user, terminal, version: 1, now }), log: position.id, source }],
  };
  return call('intake', (on) => on.recordIntake(page));
}

async function merge({ store, random, now }: Planning): Promise<Call | undefined> {
  const pull = (await store.openPulls(10))[0];
  if (pull === undefined) return undefined;
  const { user, terminal, log } = pull;
  const from = (await store.user(user))?.version ?? 0;
  const conflicts = random.below(3) === 0 ? [conflictOf(user, terminal, random, now)] : [];
  const events: Change['events'] = [
    {
      type: 'user.merged',
      data: { version: from + 1, filled: ['name'], replaced: [], kept: [] },
      time: now,
      user,
    },
  ];
  const change = { ...changeOf(user, from, random, now), events, conflicts, pull: { terminal, log } };
  return call('merge', (on) => on.saveUser(change));
}

async function edit({ store, random, now }: Planning): Promise<Call> {
  const user = someone(random);
  const from = (await store.user(user))?.version ?? 0;
  const events: Change['events'] = [
    { type: 'user.changed', data: { version: from + 1, fields: ['name'] }, time: now, user },
  ];
  const change = { ...changeOf(user, from, random, now), events };
  return call('edit', (on) => on.saveUsers([change]));
}

async function remove({ store, random, now }: Planning): Promise<Call | undefined> {
  const user = someone(random);
  const from = (await store.user(user))?.version;
  if (from === undefined) return undefined;
  const ledger = TERMINALS.map((terminal) => row({ user, terminal, version: from + 1, now, want: 'absent' }));
  const events = [{ type: 'user.removed', data: {}, time: now, user } as const];
  return call('delete', (on) => on.saveUser({ user, from, next: undefined, ledger, events, time: now }));
}

async function erase({ store, random, now }: Planning): Promise<Call | undefined> {
  const user = someone(random);
  const version = (await store.user(user))?.version;
  if (version === undefined) return undefined;
  const losses = TERMINALS.map((terminal) => ({ terminal, version: version + 1 }));
  return call('erase', (on) => on.backups.erase(user, losses, now), { again: false, together: false });
}

/** The next of the steps in which the master key is changed. */
async function rotate({ store, random, now }: Planning): Promise<Call> {
  const { master, next, renewing } = await store.vault.status();
  const alone = { together: false };
  if (renewing !== undefined) return call('renew', (on) => on.vault.renew(renewing.done, now), alone);
  if (random.below(3) === 0) return call('new data keys', (on) => on.vault.beginRenewal(), alone);
  if (next === undefined) return call('new master key', (on) => on.vault.begin(now), alone);
  return master.keys > 0
    ? call('reseal', (on) => on.vault.reseal(), alone)
    : call('end of master key', (on) => on.vault.finish(now), alone);
}

async function send({ store, random, now }: Planning): Promise<Call | undefined> {
  const terminal = pick(random, TERMINALS);
  const rows = await store.dueLedger(terminal, now + 1, 3);
  return rows.length === 0 ? undefined : call('mark sending', (on) => on.markSending(terminal, rows));
}

async function verify({ store, random, now }: Planning): Promise<Call | undefined> {
  const terminal = pick(random, TERMINALS);
  const rows = await store.ledger({ terminal, state: 'sending', limit: 3 });
  if (rows.length === 0) return undefined;
  const results = rows.map(({ user, want, version }) => {
    const failed = { state: 'failed', reason: 'unreachable', attempts: 1, nextTry: now + 20 } as const;
    const done = { state: 'verified', attempts: 0, checked: now } as const;
    return { user, want, version, ...(random.below(4) === 0 ? failed : done) };
  });
  return call('settle ledger', (on) => on.settleLedger(terminal, results, []));
}

async function spread({ random, now }: Planning): Promise<Call> {
  const user = someone(random);
  const rows = TERMINALS.map((terminal) => row({ user, terminal, version: 1, now }));
  return call('write ledger', (on) => on.writeLedger(rows));
}

async function compare({ random, now }: Planning): Promise<Call> {
  const terminal = pick(random, TERMINALS);
  const ledger = [row({ user: someone(random), terminal, version: 1, now })];
  const comparing = { terminal, ledger, pulls: [someone(random)], endsDoubt: true, events: [], time: now };
  return call('settle comparison', (on) => on.settleComparison(comparing));
}

async function doubt({ random, now }: Planning): Promise<Call> {
  const name = pick(random, TERMINALS);
  const terminal = { name, serial: `S-${name}`, position: { epoch: now, id: 0 }, doubt: 'reset' } as const;
  return call('doubt', (on) => on.saveTerminal(terminal, []));
}

async function postpone({ store, random, now }: Planning): Promise<Call | undefined> {
  const pull = (await store.openPulls(10))[0];
  if (pull === undefined) return undefined;
  const { user, terminal, log, attempts } = pull;
  const later = {
    user,
    terminal,
    log,
    attempts: attempts + 1,
    ...(random.below(2) === 0 ? { nextTry: now } : {}),
  };
  return call('postpone pull', (on) => on.postponePull(later, []));
}

async function readmit({ random }: Planning): Promise<Call> {
  const terminal = pick(random, TERMINALS);
  return call('readmit', (on) => on.readmit(terminal));
}

async function decide({ store, random, now }: Planning): Promise<Call | undefined> {
  const [open] = await store.conflicts({ state: 'open', limit: 1 });
  const full = open === undefined ? undefined : await store.conflict(open.id);
  if (full === undefined) return undefined;
  const { id, ...conflict } = full;
  const from = (await store.user(full.user))?.version ?? 0;
  const decided = { ...conflict, state: 'theirs', closed: now, made: from + 1 } as const;
  const change = {
    ...changeOf(full.user, from, random, now),
    conflicts: [{ id, from: 'open', conflict: decided }],
  } as const;
  return call('decide', (on) => on.saveUser(change));
}

async function pairing({ random, now }: Planning): Promise<Call> {
  const terminal = pick(random, TERMINALS);
  const key = random.bytes(32);
  const pairings = new Map([[`S-${terminal}`, random.below(4) === 0 ? undefined : { terminal, key }]]);
  const stopped = { type: 'gateway.stopped', time: now, data: {}, source: `pairing ${now}` } as const;
  return call('pairing', (on) => on.savePairings(pairings, [stopped]));
}

async function settings({ random }: Planning): Promise<Call> {
  const autoSync = pick(random, ['off', 'all', 'access-groups'] as const);
  return call('settings', (on) => on.saveSettings({ autoSync }, []));
}

async function note({ random, now }: Planning): Promise<Call> {
  const value = random.below(4) === 0 ? undefined : `value ${now}`;
  return call('note', (on) => on.saveNote('a note', value));
}

/** Large enough to fill some pages of its own. */
async function partial({ random }: Planning): Promise<Call> {
  const terminal = pick(random, TERMINALS);
  const bytes = random.below(3) === 0 ? undefined : random.bytes(random.below(20_000));
  // Alone: asked for again after a call that then draws no random bytes, it would be sealed with others.
  return call('partial', (on) => on.partials.put(terminal, bytes), { together: false });
}

async function addJob({ now }: Planning): Promise<Call> {
  const job = { kind: 'import', who: 'ada', state: 'running', began: now, done: 0, total: 9 } as const;
  return call('add job', (on) => on.jobs.add(job), { again: false });
}

async function saveJob({ store, now }: Planning): Promise<Call | undefined> {
  const [job] = await store.jobs.list(1);
  if (job === undefined) return undefined;
  return call('save job', (on) => on.jobs.save({ ...job, state: 'done', ended: now, done: 9 }));
}

async function audit({ random, now }: Planning): Promise<Call> {
  const entry = { time: now, who: 'ada', place: 'here', deed: 'users.edit', detail: '', outcome: 'asked' };
  const target = `user ${someone(random)}`;
  return call('audit', (on) => on.audit.append({ ...entry, target }), { again: false });
}

async function account({ random, now }: Planning): Promise<Call> {
  const name = pick(random, ['ada', 'eve']);
  if (random.below(4) === 0) return call('delete account', (on) => on.access.deleteAccount(name));
  const saved = { name, role: 'operator', created: now, changed: now, password: `hash ${now}` } as const;
  const revoke = random.below(2) === 0;
  return call('account', (on) => on.access.saveAccount(saved, { revoke }));
}

async function token({ store, random, now }: Planning): Promise<Call | undefined> {
  const [owner] = await store.access.accounts();
  if (owner === undefined) return undefined;
  const row = { id: `t${now}`, account: owner.name, kind: 'program', label: 'x', role: 'viewer' } as const;
  const secret = random.bytes(32);
  return call(
    'token',
    (on) => on.access.addToken({ ...row, created: now, expires: now, ends: now }, { secret }),
    { again: false },
  );
}

async function events({ now }: Planning): Promise<Call> {
  const event = {
    type: 'gateway.started',
    time: now,
    data: { version: '1' },
    source: `start ${now}`,
  } as const;
  return call('events', (on) => on.addEvents([event]));
}

function changeOf(user: number, from: number, random: Random, now: number): Change {
  const by = { origin: 'gateway', time: now } as const;
  return {
    ...{ user, from, time: now, events: [] },
    next: { record: recordOf(user, random), version: from + 1, provenance: new Map([[1, by]]) },
    ledger: TERMINALS.map((terminal) => row({ user, terminal, version: from + 1, now })),
  };
}

function conflictOf(user: number, terminal: string, random: Random, now: number): Conflict {
  const side = { record: recordOf(user, random), provenance: new Map() };
  return {
    conflict: {
      user,
      terminal,
      kind: 'name',
      state: 'open',
      opened: now,
      reasons: [],
      ours: side,
      theirs: side,
    },
    event: {
      type: 'conflict.opened',
      data: { conflict: 0, kind: 'name', fields: ['name'] },
      ...{ time: now, user, terminal },
    },
  };
}

function recordOf(id: number, random: Random): UserRecord {
  const template = random.bytes(100 + random.below(280));
  const finger = { format: 1, quality: 9, first: template, second: template };
  return readRecord(encodeUser({ id, name: `Name ${random.below(1000)}`, 'finger.0': finger }));
}

function row(of: {
  readonly user: number;
  readonly terminal: string;
  readonly version: number;
  readonly now: number;
  readonly want?: Ledger['want'];
}): Ledger {
  const { user, terminal, version, now, want = 'present' } = of;
  return { user, terminal, want, state: 'pending', version, attempts: 0, nextTry: now };
}

function someone(random: Random): number {
  return 1 + random.below(USERS);
}

function pick<T>(random: Random, some: readonly T[]): T {
  const one = some[random.below(some.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}
