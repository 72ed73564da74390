import { fitting, recordDigest } from '@whorl/protocol';
import { isAway, unsentAt } from './carried.ts';
import type { Invariant } from './invariant.ts';
import type { Played } from './run.ts';

const MOST_SYNCS = 10_000;

/** What must be true of terminals that are carried about, and of their syncs, whatever was done. */
export const PORTABLE_INVARIANTS: readonly Invariant[] = [
  {
    name: 'P6 what was changed at a portable terminal is merged once',
    check: checkOnce,
  },
  {
    name: 'P7 a portable terminal syncs by itself once for each log-in and log-out, and each sync is one session',
    check: checkSyncs,
  },
  {
    name: 'P3 sending alone downloads nothing',
    check: checkSends,
  },
  {
    name: 'P10 a cancel leaves all as it was',
    check({ carried }) {
      for (const { wrong } of carried.values()) for (const one of wrong) throw new Error(one);
    },
  },
  {
    name: 'P4 P6 with nothing in its way a sync ends well, sends all, and brings the slice as the gateway has it',
    check: checkHomes,
  },
  {
    name: 'P4 B10 the gateway knows what a portable terminal holds',
    check: checkHeld,
  },
];

async function checkOnce({ rig, carried }: Played): Promise<void> {
  if (carried.size === 0) return;
  const merges = new Map<string, number>();
  for (const { type, terminal = '', user = 0 } of await rig.events())
    if (type === 'user.merged' && carried.has(terminal))
      merges.set(`${terminal} ${user}`, (merges.get(`${terminal} ${user}`) ?? 0) + 1);
  for (const [name, { changes }] of carried)
    for (const [user, made] of changes) {
      const times = merges.get(`${name} ${user}`) ?? 0;
      if (times > made.size)
        throw new Error(`${name}: user ${user} was changed ${made.size} times, and merged ${times}`);
    }
}

async function checkSyncs({ rig, carried }: Played): Promise<void> {
  for (const [name, { cycles }] of carried) {
    const syncs = await rig.gateway.tasks.syncs({ terminal: name, limit: MOST_SYNCS });
    const automatic = syncs.filter((one) => one.automatic).length;
    if (automatic > cycles)
      throw new Error(`${name} synced ${automatic} times by itself, for ${cycles} log-outs`);
    const wishes = new Set(syncs.map(({ epoch, number }) => `${epoch} ${number}`));
    if (wishes.size < syncs.length) throw new Error(`${name} wanted to sync once, and it was two sessions`);
  }
}

async function checkSends({ rig, carried }: Played): Promise<void> {
  for (const [name, { home }] of carried) {
    for (const sync of await rig.gateway.tasks.syncs({ terminal: name, limit: MOST_SYNCS })) {
      const moved = sync.downloaded + sync.removed + sync.bytes;
      if (sync.mode === 'send' && moved > 0)
        throw new Error(`${name}, session ${sync.id}: sending brought ${sync.bytes} bytes there`);
    }
    if (home?.mode === 'send' && home.before !== home.after)
      throw new Error(`${name}: after sending, its users are others`);
  }
}

function checkHomes({ carried }: Played): void {
  for (const [name, { home }] of carried) {
    if (home === undefined) continue;
    if (home.trouble !== undefined) throw new Error(`${name} shows ${home.trouble}`);
    if (home.unsent > 0) throw new Error(`${name}: ${home.unsent} changes are not sent`);
    if (home.mode === 'synchronise' && home.after !== home.slice)
      throw new Error(`${name} does not hold the slice`);
    if (home.mode === 'synchronise' && home.unnoted.length > 0)
      throw new Error(`${name}: of users ${home.unnoted.join(', ')} it is not known that they were brought`);
  }
}

/** Of those whom nobody changed there since, what was brought there last is what is there. */
async function checkHeld({ rig, belief, carried }: Played): Promise<void> {
  const { store } = rig.gateway;
  for (const [name, { touched }] of carried) {
    const terminal = rig.terminal(name);
    const there = terminal.users();
    const rows = (await store.ledger({ terminal: name, limit: 10_000 })).filter(
      ({ user }) => !touched.has(user),
    );
    for (const { user: id, want, version, state } of rows) {
      if (want === 'absent' && isAway(terminal)) continue;
      if (want === 'absent') throw new Error(`${name}, user ${id}: it is still to be removed`);
      const user = await store.user(id);
      if (state !== 'verified' || user?.version !== version) continue;
      const right = recordDigest(fitting(user.record, terminal.model.capabilities));
      if (there.get(id) !== Buffer.from(right).toString('hex'))
        throw new Error(
          `${name}, user ${id}: the ledger says verified, and it is ${there.has(id) ? 'another one' : 'missing'} there`,
        );
    }
    const known = new Set([...rows.map(({ user }) => user), ...touched, ...unsentAt(terminal)]);
    for (const id of there.keys())
      if (!known.has(id) && !belief.put.has(`${name} ${id}`))
        throw new Error(`${name}, user ${id}: nobody put it there`);
  }
}
