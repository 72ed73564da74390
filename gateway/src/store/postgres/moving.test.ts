import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeUser, readRecord, systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { NewEvent } from '../../events/catalogue.ts';
import { checkDatabase } from '../check.ts';
import { openStore } from '../open.ts';
import type { LedgerRow, Store, UserChange } from '../store.ts';
import { NO_POSTGRES, postgresPrograms, startPostgres } from '../testing/postgres.ts';
import type { PostgresServer } from '../testing/postgres.ts';
import { moveToServer } from './moving.ts';
import type { MoveOptions, MoveStep } from './moving.ts';

const programs = postgresPrograms();
let server: PostgresServer | undefined;

beforeAll(async () => {
  if (programs !== undefined) server = await startPostgres(programs);
}, 120_000);
afterAll(() => server?.stop());

function named(user: number, name: string, from = 0): UserChange {
  const record = readRecord(encodeUser({ id: user, name }));
  const next = { record, version: from + 1, provenance: new Map() };
  const ledger: LedgerRow[] = [
    { user, terminal: 'door', want: 'present', state: 'pending', version: from + 1, attempts: 0 },
  ];
  const data = { version: 1, fields: ['name'] };
  const event: NewEvent = { type: 'user.added', time: 5, user, data };
  return { user, from, next, ledger, events: [event], time: 5 };
}

function gone(user: number): UserChange {
  return { user, from: 1, next: undefined, ledger: [], events: [], time: 6, deletedBy: 'ada' };
}

/** A gateway's store with users, and how it is moved while it works. */
async function working(context: { skip(note: string): never }, schema: string, users: number) {
  const { url, passwordFile } = server ?? context.skip(NO_POSTGRES);
  const data = mkdtempSync(join(tmpdir(), 'whorl-moving-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const database = { url, passwordFile, schema };
  const store = openStore({ data });
  const changes = Array.from({ length: users }, (_, index) => named(index + 1, `User ${index + 1}`));
  await store.saveUsers(changes);
  const move = (options: Pick<MoveOptions, 'snapshot'> & Partial<MoveOptions>) =>
    moveToServer({
      ...{ data, database, replace: false, clock: systemClock, random: randomBytes, told: () => undefined },
      ...options,
    });
  return { data, database, store, move };
}

async function contents(store: Store): Promise<unknown> {
  const users = await store.users({ limit: 10_000 });
  const events = await store.events({ limit: 10_000 });
  return { users, events, ledger: await store.ledger({ limit: 10_000 }) };
}

test('S12 a database is copied while the gateway works on it: what changes meanwhile comes after, and the last of it once it is stopped', async (context) => {
  const { data, database, store, move } = await working(context, 'moving', 1200);
  const steps: MoveStep[] = [];
  let snapshots = 0;
  let held: unknown;
  const report = await move({
    told: (step) => steps.push(step),
    snapshot: async (file) => {
      snapshots += 1;
      if (snapshots === 3) {
        await store.saveUsers([gone(2), named(5000, 'Last')]);
        await store.settleLedger(
          'door',
          [{ user: 1, want: 'present', version: 2, state: 'verified', attempts: 1 }],
          [],
        );
        held = await contents(store);
        await store.close();
        return false;
      }
      await store.backups.copy(file);
      await store.saveUsers([
        named(1, `Snapshot ${snapshots}`, snapshots),
        gone(10 + snapshots),
        named(4000 + snapshots, 'New'),
      ]);
      return true;
    },
  });
  expect(steps.map(({ step }) => step)).toEqual(
    expect.arrayContaining(['rows', 'difference', 'stop', 'last', 'compared']),
  );
  expect(steps.at(-1)).toEqual({ step: 'compared', rows: report.rows, of: report.rows });
  expect(steps.find(({ step }) => step === 'difference')).toMatchObject({
    rows: expect.any(Number) as number,
  });
  expect(existsSync(join(data, 'db-copy'))).toBe(false);
  const file = checkDatabase(data, undefined);
  expect(checkDatabase(data, database).tables).toEqual(file.tables);
  expect(report.tables.map(({ name, digest }) => [name, digest])).toEqual(
    file.tables.map(({ name, digest }) => [name, digest]),
  );
  const moved = openStore({ data, database });
  onTestFinished(() => moved.close());
  expect(await contents(moved)).toEqual(held);
  expect(await moved.ledgerCounts()).toEqual(await countsIn(data));
  const [event] = await moved.addEvents([{ type: 'gateway.stopped', time: 9, data: {} }]);
  expect(event?.id).toBeGreaterThan((await moved.events({ limit: 10_000 })).at(-2)?.id ?? 0);
}, 120_000);

async function countsIn(data: string): Promise<unknown> {
  const store = openStore({ data });
  try {
    return await store.ledgerCounts();
  } finally {
    await store.close();
  }
}

test('S12 a copy that is given up goes on where it was, with what changed since', async (context) => {
  const { data, database, store, move } = await working(context, 'resumed', 2500);
  let snapshots = 0;
  const snapshot = async (file: string): Promise<boolean> => {
    snapshots += 1;
    await store.backups.copy(file);
    return true;
  };
  const stopping = new AbortController();
  const first: number[] = [];
  const given = move({
    snapshot,
    signal: stopping.signal,
    told: (step) => {
      if (step.step === 'rows' && first.push(step.rows) === 2) stopping.abort();
    },
  });
  await expect(given).rejects.toMatchObject({ code: 'ABORTED' });
  expect(snapshots).toBe(1);
  await store.saveUsers([named(9000, 'Meanwhile'), gone(3)]);
  await store.close();
  const rows: number[] = [];
  await move({
    snapshot: async () => false,
    told: (step) => {
      if (step.step === 'rows') rows.push(step.rows);
    },
  });
  expect(rows[0]).toBeGreaterThan(first.at(-1) ?? 0);
  expect(checkDatabase(data, database).tables).toEqual(checkDatabase(data, undefined).tables);
}, 120_000);

test('S12 without a gateway, too, it is told how far the copy is, and how far the comparison', async (context) => {
  const { store, move } = await working(context, 'stopped', 1200);
  await store.close();
  const steps: MoveStep[] = [];
  const { rows: of } = await move({ snapshot: async () => false, told: (step) => steps.push(step) });
  const copied = steps.flatMap((one) => (one.step === 'rows' ? [one.rows] : []));
  expect(copied.length).toBeGreaterThan(3);
  expect(copied).toEqual(copied.toSorted((a, b) => a - b));
  expect(steps.filter(({ step }) => step === 'rows').at(-1)).toEqual({ step: 'rows', rows: of, of });
  expect(steps.at(-1)).toEqual({ step: 'compared', rows: of, of });
  expect(steps.filter((one) => one.step === 'compared' && one.rows === of)).toHaveLength(1);
}, 120_000);
