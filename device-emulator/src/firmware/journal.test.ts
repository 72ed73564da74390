import { mkdtempSync, readdirSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, VirtualClock, WhorlError } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { batchOf, bench, headOf } from '../testing/bench.ts';
import { diskFlash } from '../files/disk.ts';
import { MemoryFlash } from './flash.ts';
import type { Flash } from './flash.ts';
import { Journal } from './journal.ts';
import type { Op } from './ops.ts';
import { MODELS } from '../models/built-in.ts';
import { Terminal } from './terminal.ts';

const drop = (user: number): Op => ({ name: 'dropped', user });

function replayed(flash: Flash): number[] {
  const users: number[] = [];
  new Journal(flash).replay((op) => op.name === 'dropped' && users.push(op.user));
  return users;
}

function started(flash: Flash, seed = 1): Terminal {
  return new Terminal({
    serial: 'WX-1',
    address: 1,
    model: MODELS['finger-10k'],
    clock: new VirtualClock(),
    random: seededRandom(seed),
    flash,
  });
}

function disk(): { flash: Flash; path: string; folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-flash-'));
  const path = join(folder, 'terminal.flash');
  return { flash: diskFlash(path), path, folder };
}

describe('E3 the journal', () => {
  test('E3 a torn entry is as if it had never been begun, and what comes after it is kept', () => {
    const flash = new MemoryFlash();
    const journal = new Journal(flash);
    journal.append([drop(1)], true);
    journal.append([drop(2), drop(3)], true);
    const whole = flash.read();
    for (let length = 0; length < whole.length; length += 1) {
      const torn = new MemoryFlash(whole.slice(0, length));
      const again = new Journal(torn);
      const seen: number[] = [];
      again.replay((op) => op.name === 'dropped' && seen.push(op.user));
      expect(seen).toEqual(length < 17 ? [] : [1]);
      if (again.due) again.compact(seen.map(drop));
      again.append([drop(9)], true);
      expect(replayed(torn)).toEqual([...seen, 9]);
    }
    expect(replayed(new MemoryFlash(whole))).toEqual([1, 2, 3]);
  });

  test('E3 a flipped bit ends the journal there', () => {
    const flash = new MemoryFlash();
    const journal = new Journal(flash);
    for (const user of [1, 2, 3]) journal.append([drop(user)], true);
    const damaged = flash.read().slice();
    damaged[20] = (damaged[20] ?? 0) ^ 1;
    expect(replayed(new MemoryFlash(damaged))).toEqual([1]);
  });

  test('E3 it is written anew when most of it is history', () => {
    const flash = new MemoryFlash();
    const { terminal } = bench({ flash });
    terminal.enrol({ user: 1, fingers: 10 });
    for (let i = 0; i < 400; i += 1) terminal.enrol({ user: 1, finger: 1 });
    expect(flash.read().length).toBeLessThan(140_000);
    const user = terminal.user(1);
    const digest = terminal.tableDigest;
    const logs = terminal.logs();
    const again = started(new MemoryFlash(flash.read()));
    expect(again.user(1)).toEqual(user);
    expect(again.tableDigest).toBe(digest);
    expect(again.logs().slice(0, -1)).toEqual(logs);
  });

  test('E3 in the middle of writing everything anew: what was there before is still there', () => {
    const flash = new MemoryFlash();
    const journal = new Journal(flash);
    journal.append([drop(1), drop(2)], true);
    flash.cutAfter(3);
    expect(() => journal.compact([drop(1), drop(2)])).toThrow();
    expect(replayed(flash)).toEqual([1, 2]);
  });
});

describe('E3 flash on disk', () => {
  test('E3 users, log, epoch and half-arrived objects outlive the process', () => {
    const { flash, path, folder } = disk();
    const { terminal, asker } = bench({ flash });
    asker.hello();
    terminal.enrol({ user: 1042, name: 'Ada', fingers: 2 });
    const object = batchOf([{ id: 9, name: 'Nine' }]);
    asker.ask('transfer.begin', headOf(object, { chunk: 64 }));
    asker.all('chunk', { transfer: 1, index: 0, data: object.subarray(0, 64) });
    const before = { user: terminal.user(1042), epoch: terminal.epoch, table: terminal.tableDigest };
    terminal.powerOff();
    const { terminal: again, asker: askedAgain } = bench({ flash: diskFlash(path), seed: 2 });
    expect({ user: again.user(1042), epoch: again.epoch, table: again.tableDigest }).toEqual(before);
    expect(again.boots).toBe(2);
    askedAgain.hello();
    const state = askedAgain.get('transfer.begin', headOf(object, { chunk: 64 }), 'transfer.state');
    expect(state.received).toBe(1);
    again.powerOff();
    expect(readdirSync(folder)).toEqual(['terminal.flash']);
  });

  test('E3 a file cut short is read as far as it goes, and written on', () => {
    const { flash, path } = disk();
    const terminal = started(flash);
    terminal.enrol({ user: 1, finger: 1 });
    terminal.powerOff();
    truncateSync(path, diskFlash(path).read().length - 5);
    const again = started(diskFlash(path));
    expect(again.users().size).toBe(0);
    again.enrol({ user: 2, finger: 1 });
    again.powerOff();
    expect([...started(diskFlash(path)).users().keys()]).toEqual([2]);
  });

  test('E3 a disk that cannot be written refuses the request and changes nothing', () => {
    const memory = new MemoryFlash();
    let full = false;
    const fail = (): never => {
      throw new WhorlError('FLASH_FAILED', 'no space left');
    };
    const flash: Flash = {
      read: () => memory.read(),
      append: (parts) => (full ? fail() : memory.append(parts)),
      replace: (parts) => (full ? fail() : memory.replace(parts)),
      close: () => undefined,
    };
    const { terminal, asker } = bench({ flash });
    asker.hello();
    terminal.enrol({ user: 1, finger: 1 });
    full = true;
    expect(asker.ask('users.remove', { users: [1], after: 0xffff_ffff }).body).toMatchObject({
      reason: 'flash-failed',
    });
    expect(() => terminal.enrol({ user: 2, finger: 1 })).toThrow(/no space/);
    expect([...terminal.users().keys()]).toEqual([1]);
    full = false;
    expect(asker.ask('users.remove', { users: [1], after: 0xffff_ffff }).name).toBe('users.removed');
    expect(started(new MemoryFlash(memory.read())).users().size).toBe(0);
  });

  test('E3 a terminal whose flash cannot be read stays off and says why', async () => {
    const memory = new MemoryFlash();
    let broken = false;
    const flash: Flash = {
      read: () => {
        if (broken) throw new WhorlError('FLASH_FAILED', 'the chip does not answer');
        return memory.read();
      },
      append: (parts) => memory.append(parts),
      replace: (parts) => memory.replace(parts),
      close: () => undefined,
    };
    const { terminal, clock } = bench({ flash });
    broken = true;
    terminal.reboot();
    await clock.run({ forMs: 10_000 });
    expect(terminal.power).toBe('off');
    expect(() => terminal.users()).toThrow(/the chip does not answer/);
    broken = false;
    terminal.powerOn();
    await clock.run({ forMs: 10_000 });
    expect([terminal.power, terminal.failure]).toEqual(['on', undefined]);
  });

  test('E3 a folder that cannot be made is an error that names it', () => {
    const { path } = disk();
    started(diskFlash(path)).powerOff();
    expect(() => started(diskFlash(join(path, 'below', 'x.flash')))).toThrow(/terminal\.flash/);
  });
});
