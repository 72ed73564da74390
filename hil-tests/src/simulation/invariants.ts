import { Audit } from '@whorl/gateway/access/audit';
import { decodeField, FIELDS, fitting, recordDigest } from '@whorl/protocol';
import type { LedgerRow } from '@whorl/gateway';
import type { Rig } from '../rig/rig.ts';
import { faultsOf } from '../powerloss/contents.ts';
import type { Enrolled } from './belief.ts';
import { unsentAt } from './carried.ts';
import type { Counts, Invariant } from './invariant.ts';
import { PORTABLE_INVARIANTS } from './portable-invariants.ts';
import { checkComparison } from './comparison.ts';
import { checkCommands, checkRetained, checkSaid } from './said.ts';
import { checkNames, checkTemplates } from './remains.ts';
import { comeToRest } from './rest.ts';
import type { Played } from './run.ts';

/** Why a terminal refuses what should not have been sent to it. */
const CANNOT_HOLD: ReadonlySet<string> = new Set(['capacity-full', 'format-mismatch']);

export async function countSoFar(rig: Rig): Promise<Counts> {
  const counts = { writes: 0, changes: 0, merges: 0, compared: 0, refused: 0 };
  for (const event of await rig.events())
    switch (event.type) {
      case 'user.enrol.succeeded':
      case 'user.update.succeeded':
        counts.writes += event.origin === 'gateway' && !isPortable(rig, event.terminal) ? 1 : 0;
        break;
      case 'user.merged':
        counts.merges += 1;
        counts.changes += 1;
        break;
      case 'user.added':
      case 'user.changed':
      case 'user.removed':
        counts.changes += 1;
        break;
      case 'user.update.failed':
        counts.refused += CANNOT_HOLD.has(event.data.reason) ? 1 : 0;
        break;
      case 'terminal.compared':
        counts.compared += event.data.pushed + event.data.pulled;
        break;
      default:
    }
  return counts;
}

function isPortable(rig: Rig, name: string | undefined): boolean {
  return name !== undefined && rig.terminal(name).isPortable;
}

/** All that must be true, whatever people and faults did. */
export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'B5 who was not deleted at the gateway is held, and nobody comes from nowhere',
    check({ belief }, { held }) {
      for (const id of belief.users.keys())
        if (!held.has(id)) throw new Error(`user ${id} is lost: nobody deleted it at the gateway`);
      for (const id of held) if (!belief.users.has(id)) throw new Error(`user ${id} came from nowhere`);
    },
  },
  {
    name: 'B3 a name that the gateway has is not overwritten under fill-vacant',
    async check(run, { held }) {
      for (const id of held) await checkName(run, id);
    },
  },
  {
    name: 'B2 B7 no credential that was enrolled is lost: it is held, or it is one side of a conflict',
    async check({ rig, belief }) {
      for (const one of belief.enrolled) await checkEnrolled(rig, one);
    },
  },
  {
    name: 'B1 B10 B11 terminals hold what the ledger says, and the ledger what the scope says',
    check: (run, { held }) => checkTerminals(run, held),
  },
  {
    name: 'B12 a comparison tells how a terminal stands to what it should hold',
    async check({ rig, carried }, { counts }) {
      if (counts === undefined) return;
      for (const name of rig.terminals.keys()) if (!carried.has(name)) await checkComparison(rig, name);
    },
  },
  {
    name: 'B14 nothing is sent that a terminal cannot hold, unless it could the moment before',
    check({ belief }, { counts }) {
      if (counts === undefined || belief.refusing > 0) return;
      const refused = counts.now.refused - counts.before.refused;
      if (refused > 0) throw new Error(`${refused} users were refused, and no terminal had a fault to do so`);
    },
  },
  {
    name: 'B2 no record of a terminal’s log is stored twice',
    async check({ rig }) {
      const sources = (await rig.events()).flatMap((event) => event.source ?? []);
      if (new Set(sources).size !== sources.length) throw new Error('an event is stored twice');
    },
  },
  {
    name: 'B9 nothing is fetched or sent without a cause',
    check(run, { counts }) {
      if (counts !== undefined) checkCounts(run, counts.before, counts.now);
    },
  },
  {
    name: 'B15 what is said to all of a line, somebody there can read',
    check({ broadcasts }) {
      const [wrong] = broadcasts.wrong;
      if (wrong !== undefined) throw new Error(wrong);
    },
  },
  {
    name: 'G5 all that happened was said over MQTT, in its order, and nothing else',
    async check({ rig, north }) {
      if (north === undefined) return;
      const [wrong] = north.wrong;
      if (wrong !== undefined) throw new Error(wrong);
      checkSaid(north, await rig.events());
    },
  },
  {
    name: 'G5 what is retained is what is so',
    async check({ rig, north }) {
      if (north !== undefined) await checkRetained(rig, north);
    },
  },
  {
    name: 'G5 a command is answered, and done once',
    async check({ rig, north }) {
      if (north !== undefined) await checkCommands(rig, north);
    },
  },
  {
    name: 'S8 G5 the audit trail is whole',
    async check({ rig }) {
      const { sound, findings } = await new Audit(
        rig.gateway.store.audit,
        rig.clock,
        () => undefined,
      ).verify();
      if (!sound) throw new Error(findings.map(({ seq, text }) => `entry ${seq}: ${text}`).join('; '));
    },
  },
  ...PORTABLE_INVARIANTS,
  {
    name: 'the database is sound',
    check({ rig }) {
      const faults = faultsOf(rig.database);
      if (faults !== undefined) throw new Error(faults);
    },
  },
];

/** What must be true of what a site leaves behind: looked at once, in the end. */
export const REMAINS: readonly {
  readonly name: string;
  /** @throws Error naming what is not as it must be */
  readonly check: (run: Played) => void;
}[] = [
  {
    name: 'G7 no template stands in clear on the disk, nor was one said over MQTT',
    check: ({ belief, machine, north }) => checkTemplates(belief.templates, machine, north),
  },
  {
    name: 'B17 no name of somebody who was erased stands on the disk',
    check: ({ belief, machine }) => checkNames(belief.erasedNames, machine),
  },
];

/** @throws Error naming what is not as it must be of what is left in the end */
export function checkRemains(run: Played): void {
  for (const { name, check } of REMAINS)
    try {
      check(run);
    } catch (cause) {
      throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
}

/**
 * Looks whether everything is as it must be, at rest.
 * @param before what had happened before the round that ended; `undefined` when only the state matters
 * @throws Error naming what is not
 */
export async function checkInvariants(run: Played, before: Counts | undefined): Promise<void> {
  const { rig, belief, north } = run;
  await comeToRest(rig, north);
  const held = new Set((await rig.gateway.store.users({ limit: 1000 })).map((user) => user.id));
  belief.settle(held);
  belief.sent((terminal, user) => unsentAt(rig.terminal(terminal)).includes(user));
  const counts = before === undefined ? undefined : { before, now: await countSoFar(rig) };
  for (const { name, check } of INVARIANTS)
    try {
      await check(run, { held, counts });
    } catch (cause) {
      throw new Error(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    }
}

async function checkName({ rig, belief }: Played, id: number): Promise<void> {
  const wanted = belief.users.get(id)?.name;
  if (wanted === undefined) return;
  const bytes = (await rig.gateway.store.user(id))?.record.fields.get(FIELDS.name.number);
  const name = bytes === undefined ? 'nothing' : decodeField('name', bytes);
  if (name !== wanted)
    throw new Error(`user ${id} is called ${name}: ${wanted} was overwritten under fill-vacant`);
}

async function checkEnrolled(rig: Rig, { terminal, user, field, value }: Enrolled): Promise<void> {
  const { store } = rig.gateway;
  const conflicts = await store.conflictsOf(user);
  const records = [
    (await store.user(user))?.record,
    ...conflicts.flatMap(({ ours, theirs }) => [ours.record, theirs.record]),
  ];
  const found = records.some(
    (record) => Buffer.from(record?.fields.get(field) ?? []).toString('base64') === value,
  );
  if (!found) throw new Error(`field ${field} of user ${user}, enrolled at ${terminal}, is lost`);
}

async function checkTerminals({ rig, belief }: Played, held: ReadonlySet<number>): Promise<void> {
  const { store, operations } = rig.gateway;
  const { autoSync } = await operations.settings();
  if (autoSync === 'off') return;
  const rows = Map.groupBy(await store.ledger({ limit: 10_000 }), (row) => row.terminal);
  for (const { name } of (await operations.status()).terminals) {
    const terminal = rig.terminal(name);
    // They get users in their own sessions alone.
    if (terminal.isPortable) continue;
    const known = new Map((rows.get(name) ?? []).map((row) => [row.user, row]));
    const ids = new Set([...held, ...terminal.users().keys()]);
    for (const id of ids) {
      if (belief.apart.has(`${name} ${id}`)) continue;
      const wrong = await wrongAt(rig, {
        name,
        id,
        row: known.get(id),
        isPut: belief.put.has(`${name} ${id}`),
      });
      if (wrong !== undefined) throw new Error(`${name}, user ${id}: ${wrong}`);
    }
  }
}

interface Spot {
  readonly name: string;
  readonly id: number;
  readonly row: LedgerRow | undefined;
  /** People put the user there. */
  readonly isPut: boolean;
}

async function wrongAt(rig: Rig, { name, id, row, isPut }: Spot): Promise<string | undefined> {
  const { store, operations } = rig.gateway;
  const terminal = rig.terminal(name);
  const there = terminal.users().get(id);
  const user = await store.user(id);
  if (row?.state === 'withheld') return undefined;
  if (row?.want === 'absent') return 'it is still to be removed';
  const { autoSync } = await operations.settings();
  const groups = (await operations.status()).terminals.find((one) => one.name === name)?.groups ?? [];
  const own = user?.record.fields.get(FIELDS.groups.number);
  const reached =
    user !== undefined &&
    (autoSync !== 'access-groups' ||
      (own !== undefined && decodeField('groups', own).some((group) => groups.includes(group))));
  if (!reached) return there === undefined || isPut ? undefined : 'it does not belong there';
  if (row === undefined) return 'the ledger does not know of it';
  if (row.state !== 'verified') return `it is ${row.state}, ${row.reason ?? 'for no reason'}`;
  const right = Buffer.from(recordDigest(fitting(user.record, terminal.model.capabilities))).toString('hex');
  if (there === undefined) return 'the ledger says verified, and it is missing there';
  return there === right ? undefined : 'the ledger says verified, and it differs there';
}

function checkCounts({ rig, belief }: Played, before: Counts, now: Counts): void {
  const compared = now.compared - before.compared;
  const merges = now.merges - before.merges;
  if (merges > belief.changesThere + compared)
    throw new Error(`${merges} merges for ${belief.changesThere} changes at terminals: an echo`);
  const writes = now.writes - before.writes;
  const changes = now.changes - before.changes + belief.changesThere;
  // A write of which the answer was lost in a fault is done again.
  const most = (changes + belief.faults) * rig.terminals.size + compared + belief.again;
  if (writes > most) throw new Error(`${writes} writes to terminals for ${changes} changes`);
}
