import { digestOf, seededRandom, VirtualClock, WhorlError } from '@whorl/protocol';
import type { User } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { MODELS } from '../models/built-in.ts';
import { batchOf, bench, headOf } from '../testing/bench.ts';
import { MemoryFlash } from './flash.ts';
import { Terminal } from './terminal.ts';

function on(flash: MemoryFlash): Terminal {
  const model = MODELS['finger-10k'];
  const parts = { serial: 'WX-1', address: 1, clock: new VirtualClock(), random: seededRandom(1) };
  const capabilities = { ...model.capabilities, logs: 8 };
  return new Terminal({ ...parts, model: { ...model, capabilities }, flash });
}

/** What somebody would find there after a start, but for what the start itself leaves in the log. */
function found(contents: Uint8Array): string {
  const terminal = on(new MemoryFlash(contents));
  const logs = terminal.logs().filter(({ kind }) => kind !== 'terminal.started');
  const told = logs.slice(-4).map(({ kind, user, detail }) => [kind, user, detail]);
  return JSON.stringify([terminal.tableDigest, [...terminal.users().keys()], told]);
}

describe('E3 E4 the power is cut at every byte that is written', () => {
  const deeds: Readonly<Record<string, (terminal: Terminal) => void>> = {
    'an enrolment': (terminal) => void terminal.enrol({ user: 9, fingers: 1 }),
    'another finger': (terminal) => void terminal.enrol({ user: 1, finger: 3 }),
    'a deletion': (terminal) => {
      terminal.remove(2);
    },
    'an edit': (terminal) => void terminal.edit({ user: 1, set: { name: 'Another' } }),
    'a record that overwrites the oldest': (terminal) =>
      void terminal.tap({ card: new Uint8Array([4, 1, 2, 3]) }),
  };

  test.each(Object.keys(deeds))('E3 %s is done as a whole or not at all', (name) => {
    const prepared = new MemoryFlash();
    const first = on(prepared);
    for (const user of [1, 2, 3]) first.enrol({ user, fingers: 1 });
    for (let i = 0; i < 8; i += 1) first.edit({ user: 3, set: { name: `Name ${i}` } });
    first.powerOff();
    const contents = prepared.read().slice();
    const undone = found(contents);

    const outcomes = new Set<string>();
    let died = true;
    for (let cut = 0; died; cut += 1) {
      const flash = new MemoryFlash(contents.slice());
      const terminal = on(flash);
      flash.cutAfter(cut);
      try {
        deeds[name]?.(terminal);
        died = false;
      } catch (error) {
        expect(error).toBeInstanceOf(WhorlError);
      }
      const now = found(flash.read().slice());
      if (died) expect(now, `cut after ${cut} bytes`).toBe(undone);
      outcomes.add(now);
    }
    expect(outcomes.size).toBe(2);
  });
});

describe('E3 a power cut', () => {
  const users = Array.from({ length: 6 }, (_, i): User => ({
    id: i + 1,
    name: `User ${i + 1}`,
    groups: [i + 1],
  }));

  test('E3 at any byte of a commit: all of it, or nothing of it', async () => {
    const object = batchOf(users);
    const outcomes = new Set<number>();
    for (let cut = 0; cut < 700; cut += 3) {
      const flash = new MemoryFlash();
      const { terminal, asker, clock } = bench({ flash });
      asker.hello();
      asker.ask('transfer.begin', headOf(object, { chunk: 1000 }));
      asker.all('chunk', { transfer: 1, index: 0, data: object });
      flash.cutAfter(cut);
      const answers = asker.all('transfer.commit', { transfer: 1, digest: digestOf(object), after: 1 });
      const died = terminal.power === 'off';
      expect(answers).toHaveLength(died ? 0 : 1);
      if (died) {
        terminal.powerOn();
        await clock.run({ forMs: terminal.model.bootMs });
        asker.hello();
        expect(asker.get('transfer.begin', headOf(object, { chunk: 1000 }), 'transfer.state').received).toBe(
          1,
        );
        expect(terminal.users().size).toBe(0);
        asker.ask('transfer.commit', { transfer: 1, digest: digestOf(object), after: 1 });
      }
      expect(terminal.users().size).toBe(users.length);
      outcomes.add(Number(died));
    }
    expect(outcomes).toEqual(new Set([0, 1]));
  });

  test('E3 a person’s action that the power cuts short says so, and left nothing', async () => {
    const flash = new MemoryFlash();
    const { terminal, clock } = bench({ flash });
    flash.cutAfter(20);
    expect(() => terminal.enrol({ user: 5, finger: 1 })).toThrow(WhorlError);
    expect(terminal.power).toBe('off');
    expect(() => terminal.users()).toThrow(/off/);
    terminal.powerOn();
    await clock.run({ forMs: 10_000 });
    expect(terminal.users().size).toBe(0);
    expect(terminal.boots).toBe(2);
  });
});
