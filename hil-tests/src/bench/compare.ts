import { encodeUser, readRecord } from '@whorl/protocol';
import { memoryRig } from '../rig/memory.ts';

/** Bytes both ways to find the users that changed, on the line, through the gateway's own compare. */
export async function benchCompare({ quick }: { quick: boolean }): Promise<Record<string, number>> {
  return {
    'compare.bytes_10_of_10k': await bytesToFind(10, 10_000),
    ...(quick ? {} : { 'compare.bytes_100_of_100k': await bytesToFind(100, 100_000) }),
  };
}

async function bytesToFind(changed: number, users: number): Promise<number> {
  const rig = await memoryRig({ lines: { floor: [{ name: 'terminal', model: 'face-100k' }] } });
  try {
    const { operations, store } = rig.gateway;
    await operations.changeSettings({ autoSync: 'off' });
    await rig.until(
      'the terminal online',
      async () => (await operations.status()).terminals[0]?.state === 'online',
    );
    const every = Math.floor(users / changed);
    const name = (id: number, there: boolean): string =>
      there && id % every === 0 ? `User ${id}, changed` : `User ${id}`;
    const record = (id: number, there: boolean): ReturnType<typeof readRecord> =>
      readRecord(encodeUser({ id, name: name(id, there) }));
    const ids = Array.from({ length: users }, (_, i) => i + 1);
    rig.terminal('terminal').load(ids.map((id) => record(id, true)));
    for (let from = 0; from < users; from += 1000)
      await Promise.all(ids.slice(from, from + 1000).map((id) => keep(store, id, record(id, false))));
    await rig.pass(2_000);
    const medium = rig.media.get('floor');
    const total = (): number =>
      (medium?.counters.bytesToTerminals ?? 0) + (medium?.counters.bytesToGateway ?? 0);
    const before = total();
    let idle = 0;
    medium?.tap((bytes, fromGateway) => {
      // Invitations and roll calls would cross the line anyway.
      if (bytes.length <= 6 || (fromGateway && bytes.length > 24) || bytes.length === 12)
        idle += bytes.length;
    });
    let found: readonly number[] | undefined;
    void operations.compare('terminal', { repair: false }).then(({ different }) => {
      found = different;
    });
    await rig.until('the comparison', () => found !== undefined, { withinMs: 600_000 });
    if (found?.length !== changed) return Number.NaN;
    return total() - before - idle;
  } finally {
    await rig.close();
  }
}

/** As if the terminal had been brought this user and verified. */
async function keep(
  store: Awaited<ReturnType<typeof memoryRig>>['gateway']['store'],
  user: number,
  record: ReturnType<typeof readRecord>,
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
