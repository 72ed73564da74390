import { encodeUser, readRecord, seededRandom } from '@whorl/protocol';
import type { UserRecord } from '@whorl/protocol';
import { memoryRig } from '../rig/memory.ts';
import type { Rig } from '../rig/rig.ts';

/** Bytes both ways to find the users that changed, on the line, through the gateway's own compare; means of several sets. */
export async function benchCompare({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  return {
    'compare.bytes_10_of_10k': await bytesToFind(10, 10_000, quick ? 2 : 12),
    ...(quick ? {} : { 'compare.bytes_100_of_100k': await bytesToFind(100, 100_000, 3) }),
  };
}

async function bytesToFind(changed: number, users: number, sets: number): Promise<number> {
  const rig = await memoryRig({ lines: { floor: [{ name: 'terminal', model: 'face-100k' }] } });
  try {
    const { operations, store } = rig.gateway;
    await operations.changeSettings({ autoSync: 'off' });
    await rig.until(
      'the terminal online',
      async () => (await operations.status()).terminals[0]?.state === 'online',
    );
    const ids = Array.from({ length: users }, (_, i) => i + 1);
    rig.terminal('terminal').load(ids.map((id) => record(id)));
    for (let from = 0; from < users; from += 1000)
      await Promise.all(ids.slice(from, from + 1000).map((id) => keep(store, id, record(id))));
    const random = seededRandom(users);
    const spent: number[] = [];
    for (let set = 0; set < sets; set += 1) {
      const others = new Set<number>();
      while (others.size < changed) others.add(1 + random.below(users));
      rig.terminal('terminal').load([...others].map((id) => record(id, `changed ${set}`)));
      await rig.pass(2_000);
      spent.push(await bytesOfOne(rig, others));
      rig.terminal('terminal').load([...others].map((id) => record(id)));
    }
    return spent.reduce((sum, one) => sum + one, 0) / sets;
  } finally {
    await rig.close();
  }
}

function record(id: number, more = ''): UserRecord {
  return readRecord(encodeUser({ id, name: `User ${id} ${more}` }));
}

/** @returns bytes of one comparison; none when it found others than those who differ */
async function bytesOfOne(rig: Rig, others: ReadonlySet<number>): Promise<number> {
  let bytes = 0;
  const untap = rig.media.get('floor')?.tap((frame, fromGateway) => {
    // Invitations and roll calls would cross the line anyway.
    const idle = frame.length <= 6 || (fromGateway && frame.length > 24) || frame.length === 12;
    if (!idle) bytes += frame.length;
  });
  let found: readonly number[] | undefined;
  void rig.gateway.operations.compare('terminal', {}).then(({ different }) => {
    found = different;
  });
  await rig.until('the comparison', () => found !== undefined, { withinMs: 600_000 });
  untap?.();
  return found?.length === others.size && found.every((id) => others.has(id)) ? bytes : Number.NaN;
}

/** As if the terminal had been brought this user and verified. */
async function keep(
  store: Awaited<ReturnType<typeof memoryRig>>['gateway']['store'],
  user: number,
  record: UserRecord,
): Promise<void> {
  await store.saveUser({
    user,
    from: 0,
    next: { record, version: 1, provenance: new Map() },
    ledger: [
      { user, terminal: 'terminal', want: 'present', state: 'verified', version: 1, attempts: 0, checked: 0 },
    ],
    events: [],
    time: 0,
  });
}
