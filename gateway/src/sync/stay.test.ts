import { FIELDS, recordOf } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { openStore } from '../store/open.ts';
import type { Store, StoredUser } from '../store/store.ts';
import { lastWrittenAt } from './stay.ts';

const FINGER = FIELDS['finger.0'].number;
const DOOR = 'door-1';
const EPOCH = 3;

/** Whose finger was enrolled at a terminal by its log record 5, which is stored. */
async function start(): Promise<{ store: Store; held: StoredUser }> {
  const store = openStore({ data: { memory: true } });
  onTestFinished(() => store.close());
  const by = { origin: 'terminal', terminal: DOOR, time: 1, log: 5, since: 2 } as const;
  const record = recordOf(7, [[FINGER, Uint8Array.of(1, 1)]]);
  await happens(store, 'user.enrol.succeeded', 5);
  await stands(store, { serial: 'S', epoch: EPOCH });
  return { store, held: { version: 4, record, provenance: new Map([[FINGER, by]]) } };
}

async function happens(
  store: Store,
  type: 'user.enrol.succeeded' | 'user.delete.succeeded',
  log: number,
): Promise<void> {
  const about = { time: 1, terminal: DOOR, user: 7, origin: 'terminal' } as const;
  await store.addEvents([{ ...about, type, data: { log, at: 1 }, source: `S/${EPOCH}/${log}/1` }]);
}

async function stands(store: Store, { serial, epoch }: { serial: string; epoch: number }): Promise<void> {
  await store.saveTerminal({ name: DOOR, serial, position: { epoch, id: 6 } }, []);
}

test('B16 what people wrote at a terminal is there, whoever else wrote to the user since', async () => {
  const { store, held } = await start();
  expect(await lastWrittenAt({ store }, DOOR, held)).toBe(2);
  expect(await lastWrittenAt({ store }, 'door-2', held)).toBeUndefined();
});

test('B16 who was deleted at a terminal is not taken to be there', async () => {
  const { store, held } = await start();
  await happens(store, 'user.delete.succeeded', 6);
  expect(await lastWrittenAt({ store }, DOOR, held)).toBeUndefined();
});

test('B16 nobody is taken to be at a terminal that was reset, or replaced, since', async () => {
  const { store, held } = await start();
  for (const now of [
    { serial: 'S', epoch: EPOCH + 1 },
    { serial: 'T', epoch: EPOCH },
  ]) {
    await stands(store, now);
    expect(await lastWrittenAt({ store }, DOOR, held)).toBeUndefined();
  }
});
