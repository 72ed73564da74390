import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeUser, writeRecord, encodeUser, readRecord, systemClock, VirtualClock } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { serveControl } from '../control/server.ts';
import { dumpOf, pseudonymous, readDump } from './dump.ts';
import { startFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { fleetSchema } from './schema.ts';

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const finger = (fill: number) => ({ format: 1, quality: 80, first: bytes(300, fill), second: bytes(280, 9) });
const ADA: User = {
  id: 7,
  name: 'Ada Lovelace',
  pin: bytes(40, 3),
  groups: [1, 4],
  'card.0': { format: 1, number: bytes(4, 0xa1) },
  'finger.0': finger(5),
  'finger.3': finger(5),
  photo: bytes(1_000, 4),
};

function replaced(user: User, salt: number): User {
  return decodeUser(writeRecord(pseudonymous(readRecord(encodeUser(user)), bytes(32, salt))));
}

test('E7 what tells of a person is replaced by something of the same size, the same for the same', () => {
  const other = replaced(ADA, 1);
  expect(other).toMatchObject({ id: 7, groups: [1, 4] });
  expect(other.name).toMatch(/^[a-z]{12}$/);
  expect(encodeUser(other)).toHaveLength(encodeUser(ADA).length);
  for (const field of ['name', 'pin', 'card.0', 'finger.0', 'photo'] as const)
    expect(other[field]).not.toEqual(ADA[field]);
  expect(other['finger.0']).toMatchObject({ format: 1, quality: 80 });
  expect(other['finger.3']).toEqual(other['finger.0']);
  expect(replaced({ ...ADA, id: 8 }, 1)['card.0']).toEqual(other['card.0']);
  expect(replaced(ADA, 2)['card.0']).not.toEqual(other['card.0']);
});

async function fleetOf(terminal: object): Promise<Fleet> {
  const config = { lines: [{ name: 'lab', listen: { port: 0 }, terminals: [{ name: 't1', ...terminal }] }] };
  const fleet = await startFleet(fleetSchema.parse(config), new VirtualClock());
  onTestFinished(() => fleet.stop());
  return fleet;
}

test('E7 a terminal’s dump becomes an emulated terminal; no secret is in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-dump-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const { terminal } = (await fleetOfServed()).terminal('t1');
  terminal.setKey(bytes(32, 0x77));
  terminal.load([readRecord(encodeUser({ ...ADA, photo: undefined }))]);
  const text = await (await fetch(`http://127.0.0.1:${port}/terminals/t1/dump`)).text();
  for (const secret of [bytes(16, 5), bytes(16, 3), bytes(16, 0x77), bytes(4, 0xa1), Buffer.from('Ada')])
    expect(text).not.toContain(Buffer.from(secret).toString('hex'));
  const path = join(folder, 't1.json');
  writeFileSync(path, text);
  const again = (await fleetOf({ from: path })).terminal('t1').terminal;
  expect(again.model.name).toBe(terminal.model.name);
  expect([...again.users().keys()]).toEqual([7]);
  expect(again.user(7)).toMatchObject({ groups: [1, 4], 'finger.3': { format: 1, quality: 80 } });
  expect(again.isPaired).toBe(false);
});

test('E7 a terminal made of a dump is the same to a gateway: log, epoch, starts, clock, what it can hold', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-dump-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const { terminal } = (await fleetOf({ capabilities: { users: 600, fingers: 2 } })).terminal('t1');
  terminal.enrol({ user: 7, name: 'Ada', fingers: 2 });
  terminal.clearLog();
  terminal.tap({ user: 7 });
  terminal.setClock(terminal.shown + 90_000, 20);
  terminal.turnAway(1_200);
  const path = join(folder, 't1.json');
  writeFileSync(path, JSON.stringify(dumpOf(terminal, bytes(32, 1))));
  const again = (await fleetOf({ from: path })).terminal('t1').terminal;
  expect(again.model).toEqual(terminal.model);
  expect(again.logs()).toEqual(terminal.logs());
  expect([again.epoch, again.boots, again.shown]).toEqual([terminal.epoch, terminal.boots, terminal.shown]);
  expect([...again.users().keys()]).toEqual([7]);
  again.tap({ user: 7 });
  expect(again.logs(1)[0]?.id).toBe((terminal.logs(1)[0]?.id ?? 0) + 1);
});

test('E7 a dump that is not there, or is none, is told by its name', async () => {
  const missing = join(tmpdir(), 'whorl-nothing', 't1.json');
  await expect(fleetOf({ from: missing })).rejects.toMatchObject({
    code: 'FLEET_FILE',
    message: `${missing}: no such file or folder`,
  });
  const other = import.meta.filename;
  await expect(fleetOf({ from: other })).rejects.toMatchObject({
    code: 'FLEET_FILE',
    message: expect.stringMatching(/dump\.test\.ts: it is no dump: /) as string,
  });
});

let port = 0;
async function fleetOfServed(): Promise<Fleet> {
  const fleet = await fleetOf({});
  const control = await serveControl(fleet, 0, systemClock);
  onTestFinished(() => control.app.close());
  port = control.port;
  return fleet;
}

test('E7 a file that is no dump is refused with its place', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-dump-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const path = join(folder, 'x.json');
  writeFileSync(path, '{ "dump": 1, "model": "finger-10k", "users": [{ "id": 0, "fields": {} }] }');
  expect(() => readDump(path)).toThrow(/x\.json users\.0\.id/);
});
