import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, WhorlError } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { rawDatabase } from '../store/testing/place.ts';
import { Audit } from './audit.ts';
import type { AuditReport } from './audit.ts';

const deed = (n: number) => ({ who: 'ada', place: 'here', deed: 'users.edit', target: `user ${n}` });

/** A trail of `entries` on disk, and what a verification says after somebody worked on the file. */
async function trail(entries: number): Promise<{
  tampered: (sql: string) => Promise<AuditReport>;
  audit: <T>(work: (audit: Audit, store: Store) => Promise<T>) => Promise<T>;
}> {
  const data = mkdtempSync(join(tmpdir(), 'whorl-audit-'));
  onTestFinished(() => {
    rmSync(data, { recursive: true, force: true });
  });
  const audit = async <T>(work: (audit: Audit, store: Store) => Promise<T>): Promise<T> => {
    const store = openStore({ data });
    try {
      return await work(new Audit(store.audit, systemClock, () => undefined), store);
    } finally {
      await store.close();
    }
  };
  await audit(async (one) => {
    for (let n = 1; n <= entries; n += 1) await one.note(deed(n), 'done');
  });
  return {
    audit,
    async tampered(sql) {
      const db = rawDatabase(data);
      db.exec(sql);
      db.close();
      return audit((one) => one.verify());
    },
  };
}

test('B17 a trail that nobody touched is sound, over restarts too', async () => {
  const { tampered, audit } = await trail(5);
  expect(await tampered('SELECT 1')).toMatchObject({ sound: true, entries: 5, findings: [] });
  await audit((one) => one.note(deed(6), 'done'));
  expect(await tampered('SELECT 1')).toMatchObject({ sound: true, entries: 6 });
});

test.each<[string, string, number, RegExp]>([
  ['changed', "UPDATE audit SET who = 'eve' WHERE seq = 3", 3, /changed/],
  ['changed in its time', 'UPDATE audit SET time = time + 1 WHERE seq = 5', 5, /changed/],
  ['removed', 'DELETE FROM audit WHERE seq = 3', 4, /entries 3 to 3 are missing/],
  ['removed at the beginning', 'DELETE FROM audit WHERE seq < 3', 3, /entries 1 to 2 are missing/],
  ['removed at the end', 'DELETE FROM audit WHERE seq > 3', 3, /entries 4 to 5 are missing at the end/],
  [
    'reordered',
    'UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 99',
    2,
    /changed/,
  ],
  [
    'added',
    "INSERT INTO audit SELECT 6, time, who, place, deed, 'user 6', detail, outcome, asked, hash FROM audit WHERE seq = 5",
    6,
    /changed/,
  ],
  ['removed whole', 'DELETE FROM audit', 0, /entries 1 to 5 are missing at the end/],
  ['left without its seal', "DELETE FROM notes WHERE key = 'audit.head'", 5, /seal of the end was removed/],
  [
    'sealed by somebody else',
    "UPDATE notes SET value = 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' WHERE key = 'audit.head'",
    5,
    /not from this gateway/,
  ],
])('B17 a trail of which an entry was %s is told, with the place', async (_, sql, seq, text) => {
  const { tampered } = await trail(5);
  const report = await tampered(sql);
  expect(report.sound).toBe(false);
  expect(report.findings).toContainEqual({ seq, text: expect.stringMatching(text) as string });
});

test('B17 an end that was cut off stays visible when the trail goes on', async () => {
  const { tampered, audit } = await trail(5);
  await tampered('DELETE FROM audit WHERE seq > 3');
  await audit((one) => one.note(deed(6), 'done'));
  const report = await audit((one) => one.verify());
  expect(report.findings.map(({ text }) => text).join('\n')).toMatch(
    /entries 4 to 5 are missing[\s\S]*the gateway itself/,
  );
});

test('B17 a head that was noted elsewhere shows that all was replaced by an older database', async () => {
  const { audit } = await trail(5);
  const before = await audit((one) => one.verify());
  expect(await audit((one) => one.verify(before.head))).toMatchObject({ sound: true });
  const other = await trail(5);
  expect(await other.audit((one) => one.verify(before.head))).toMatchObject({ sound: false });
});

test('B17 a deed is written down before it is done, and its outcome after', async () => {
  const { audit } = await trail(0);
  await audit(async (one, store) => {
    let during: unknown;
    await one.act({ ...deed(1), detail: { fields: ['name'] } }, async () => {
      during = await store.audit.deeds({ limit: 10 });
    });
    expect(during).toMatchObject([{ seq: 1, outcome: 'asked' }]);
    const refused = new WhorlError('USER_UNKNOWN', 'no such user');
    await expect(one.act(deed(2), () => Promise.reject(refused))).rejects.toBe(refused);
    expect(await one.list({ limit: 10 })).toMatchObject([
      { target: 'user 1', outcome: 'done', detail: { fields: ['name'] } },
      { target: 'user 2', outcome: 'USER_UNKNOWN' },
    ]);
    expect(await one.verify()).toMatchObject({ sound: true, entries: 4 });
  });
});
