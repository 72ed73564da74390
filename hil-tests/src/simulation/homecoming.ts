import type { SyncView } from '@whorl/gateway';
import type { Slice } from '@whorl/gateway/settings/task';
import { decodeField, FIELDS, fitting, NO_DIGEST, recordDigest, toggled } from '@whorl/protocol';
import { isSyncing } from './carried.ts';
import type { Homecoming } from './carried.ts';
import { logIn, logOut, press, syncAt } from './portables.ts';
import { comeToRest } from './rest.ts';
import type { Run } from './run.ts';

/** Of a sync with nothing in its way, milliseconds. */
const PATIENCE_MS = 5 * 60_000;

/**
 * At the end of a round some portable terminals are put online, and some of those synced with nothing else going on; the
 * others stay where they are, maybe for rounds.
 */
export async function comeHome(run: Run): Promise<void> {
  const { rig, random, carried, north } = run;
  for (const [name, its] of carried) {
    if (random.below(3) === 0) continue;
    const place = { name, terminal: rig.terminal(name), carried: its };
    await rig.until(`${name} to end its sync`, () => !isSyncing(place.terminal), { withinMs: PATIENCE_MS });
    press(place, { button: 'close' });
    logIn(run, place);
    press(place, { button: 'mode', mode: 'online' });
    await comeToRest(rig, north);
    if (random.below(2) === 0) await syncInPeace(run, place);
    if (random.below(2) === 0) logOut(place);
    run.trace.push(`${name}: comes home`);
  }
}

async function syncInPeace(run: Run, place: Parameters<typeof logOut>[0]): Promise<void> {
  const { rig, random } = run;
  const { name, terminal, carried } = place;
  const mode = random.below(3) === 0 ? 'send' : 'synchronise';
  const before = terminal.tableDigest;
  run.trace.push(`${name}: ${syncAt(run, place, mode)}`);
  await rig.until(`${name} to sync`, () => !isSyncing(terminal), { withinMs: PATIENCE_MS });
  const { window, unsent } = terminal.display;
  const isWell = window?.kind === 'message' && window.colour === 'green';
  const trouble = isWell ? undefined : `${window?.kind ?? 'nothing'}: ${JSON.stringify(window)}`;
  const [newest] = await rig.gateway.tasks.syncs({ terminal: name, limit: 1 });
  const { slice, unnoted } =
    newest === undefined ? { slice: '', unnoted: [] } : await sliceOf(run, name, newest);
  const after = terminal.tableDigest;
  carried.home = { mode, trouble, before, after, slice, unnoted, unsent: unsent.length };
  if (mode === 'synchronise') carried.touched.clear();
}

/** Digest of the slice as the gateway has it now, in hex, and of whom of it the ledger does not know that they are there. */
async function sliceOf(
  { rig }: Run,
  name: string,
  { task }: SyncView,
): Promise<Pick<Homecoming, 'slice' | 'unnoted'>> {
  const { store, tasks } = rig.gateway;
  const { slice } = await tasks.task(task);
  const { capabilities } = rig.terminal(name).model;
  const rows = await store.ledger({ terminal: name, limit: 10_000 });
  const noted = new Map(rows.map(({ user, state, version }) => [user, state === 'verified' ? version : 0]));
  const unnoted: number[] = [];
  let table: Uint8Array = NO_DIGEST;
  for (const { id } of await store.users({ limit: 10_000 })) {
    const user = await store.user(id);
    if (user === undefined || !isIn(slice, id, user.record.fields.get(FIELDS.groups.number))) continue;
    table = toggled(table, recordDigest(fitting(user.record, capabilities)));
    if (noted.get(id) !== user.version) unnoted.push(id);
  }
  return { slice: Buffer.from(table).toString('hex'), unnoted };
}

function isIn({ who }: Slice, id: number, groups: Uint8Array | undefined): boolean {
  if (who.by === 'users') return who.users.includes(id);
  if (who.by === 'site' || groups === undefined) return false;
  return decodeField('groups', groups).some((group) => who.groups.includes(group));
}
