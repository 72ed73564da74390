import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, encodeUser, readRecord } from '@whorl/protocol';
import { expect, onTestFinished } from 'vitest';
import type { Environment } from '../master-key.ts';
import { openStore } from '../open.ts';
import type { Store, UserChange } from '../store.ts';

// A store in which something of every kind is sealed.

export const SECRET = 'TEMPLATE-THAT-NOBODY-MAY-READ';
export const template = Buffer.from(SECRET.repeat(4));

/** Gone when the test ends. */
export function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'whorl-rotation-'));
  onTestFinished(() => {
    rmSync(made, { recursive: true, force: true });
  });
  return made;
}

export function change(user: number, from = 0, name = `User ${user}`): UserChange {
  const record = readRecord(
    encodeUser({
      id: user,
      name,
      pin: template.subarray(0, 64),
      photo: template,
      'finger.0': { format: 1, quality: 9, first: template, second: template },
    }),
  );
  const next = { record, version: from + 1, provenance: new Map() };
  return { user, from, next, ledger: [], events: [], time: 5 };
}

/** What something fails with; `undefined` when it does not, or with something that is none of ours. */
export async function codeFrom(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return codeOf(error);
  }
}

/** Users, a pairing, an account, and an entry in the audit trail. */
export async function filled(
  data: string,
  { users, environment = {} }: { users: number; environment?: Environment },
): Promise<Store> {
  const store = openStore({ data, environment });
  await store.saveUsers(Array.from({ length: users }, (_, index) => change(index + 1)));
  await store.savePairings(new Map([['S', { terminal: 'door', key: template.subarray(0, 32) }]]), []);
  await store.access.saveAccount(
    { name: 'ada', role: 'admin', created: 1, changed: 1, password: '$argon2id$secret' },
    { revoke: false },
  );
  const entry = { time: 1, who: 'ada', place: 'here', deed: 'x', target: 'y', detail: '', outcome: 'done' };
  await store.audit.append(entry);
  await store.saveSecretNote('code', SECRET);
  return store;
}

/** Everything that is sealed can be read. */
export async function whole(store: Store, users: Iterable<number>): Promise<void> {
  for (const id of users)
    expect((await store.user(id))?.record.fields.get(0x40)?.includes(template[0] ?? 0), `user ${id}`).toBe(
      true,
    );
  expect((await store.pairings()).get('S')?.key).toEqual(new Uint8Array(template.subarray(0, 32)));
  expect((await store.access.account('ada'))?.password).toBe('$argon2id$secret');
  expect(await store.secretNote('code')).toBe(SECRET);
  expect(await store.audit.head()).toMatchObject({ seq: expect.any(Number) as number });
}
