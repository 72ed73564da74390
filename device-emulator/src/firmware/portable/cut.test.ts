import { seededRandom, VirtualClock } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { bench } from '../../testing/bench.ts';
import type { Asker, Bench } from '../../testing/bench.ts';
import { end, LOG_IN, person, portableBench, send, TASK, wish } from '../../testing/portable.ts';
import { MemoryFlash } from '../flash.ts';
import { MODELS } from '../../models/built-in.ts';
import { Store } from '../store.ts';

const SLICE = [2, 3, 4, 5].map(person);

/** What is on a flash, byte for byte: the live table's digest, its records, and the journal of unsent changes. */
function heldOn(flash: MemoryFlash): { live: string; journal: string; unsent: number } {
  const state = new Store({
    flash: new MemoryFlash(flash.read().slice()),
    model: MODELS['portable-5k'],
    clock: new VirtualClock(),
    random: seededRandom(9),
  }).state;
  const users = state.users.ids().map((id) => Buffer.from(state.users.get(id)?.bytes ?? []).toString('hex'));
  const live = [Buffer.from(state.users.digest).toString('hex'), ...users].join('\n');
  return { live, journal: JSON.stringify(state.portable.changes), unsent: state.portable.unsent };
}

/** A terminal with a change that was not sent, and somebody who wants to synchronise. */
function begun(): Bench & { flash: MemoryFlash } {
  const flash = new MemoryFlash();
  const made = portableBench({ flash, synced: true });
  made.terminal.press(LOG_IN);
  made.terminal.enrol({ user: 9, card: { slot: 0, number: Uint8Array.of(9, 9) } });
  made.terminal.press({ button: 'sync', mode: 'synchronise' });
  return { ...made, flash };
}

/** A sync step by step; each of them may be the last before something happens. */
function* session(asker: Asker): Generator<string> {
  if (wish(asker).mode === 'none') return;
  yield 'asked';
  send(asker);
  yield 'sent';
  const { users } = asker.get('slice.open', { task: TASK }, 'slice.state');
  yield `opened with ${users}`;
  asker.get('users.remove', { users: [1, 9], after: 0xffff_ffff }, 'users.removed');
  yield 'removed';
  for (const [index, some] of [SLICE.slice(0, 2), SLICE.slice(2)].entries()) {
    asker.push(some, { transfer: index });
    yield 'pushed';
  }
  const { table } = asker.get('users.digests', { after: 0 }, 'users.page');
  asker.get('slice.swap', { table }, 'slice.swapped');
  yield 'swapped';
  end(asker, 'done');
  yield 'told';
}

function whole(): { before: ReturnType<typeof heldOn>; after: string; bytes: number; steps: string[] } {
  const { asker, flash } = begun();
  const before = heldOn(flash);
  const size = flash.read().length;
  const steps = [...session(asker)];
  return { before, after: heldOn(flash).live, bytes: flash.read().length - size, steps };
}

describe('a sync that is interrupted', () => {
  const { before, after, bytes, steps } = whole();

  test('P10 a power cut at every third byte that is written to flash leaves the whole old or the whole new database, and the journal', () => {
    let [old, young] = [0, 0];
    for (let cut = 0; cut < bytes; cut += 3) {
      const { asker, flash } = begun();
      flash.cutAfter(cut);
      expect(() => [...session(asker)], `cut after ${cut} bytes`).toThrow();
      const held = heldOn(flash);
      expect([before.live, after], `cut after ${cut} bytes`).toContain(held.live);
      if (held.unsent > 0) expect(held.journal).toBe(before.journal);
      if (held.live === after) expect(held.unsent).toBe(0);
      old += held.live === before.live ? 1 : 0;
      young += held.live === after ? 1 : 0;
    }
    expect(old).toBeGreaterThan(50);
    expect(young).toBeGreaterThan(0);
  });

  test('P10 P12 after a power cut at any flash write the sync goes on, and ends with the new database', () => {
    for (let cut = 0; cut < bytes; cut += 31) {
      const { asker, flash } = begun();
      flash.cutAfter(cut);
      expect(() => [...session(asker)]).toThrow();
      const again = bench({ model: MODELS['portable-5k'], flash: new MemoryFlash(flash.read().slice()) });
      again.asker.hello();
      // Told all but the last of it, the terminal has ended its sync before the power went.
      Array.from(session(again.asker));
      expect(again.terminal.display, `cut after ${cut} bytes`).toMatchObject({ synced: TASK, unsent: [] });
      expect(again.terminal.display.window).toMatchObject({ colour: 'green' });
      expect([...again.terminal.users().keys()]).toEqual([2, 3, 4, 5]);
    }
  });

  test.each(steps.map((step, index) => ({ step, index })))(
    'P10 cancelled behind "$step" the database is what it was, and what was not answered is unsent',
    ({ step, index }) => {
      const { asker, flash, terminal } = begun();
      const run = session(asker);
      for (let i = 0; i <= index; i += 1) run.next();
      terminal.press({ button: 'cancel' });
      const held = heldOn(flash);
      const isSwapped = step === 'swapped' || step === 'told';
      expect(held.live).toBe(isSwapped ? after : before.live);
      if (index === 0) expect(held.journal).toBe(before.journal);
      // What the gateway sends before it hears of that comes too late.
      if (!isSwapped) expect(() => [...run]).toThrow();
      expect(heldOn(flash).live).toBe(isSwapped ? after : before.live);
      expect(wish(asker).mode).toBe('none');
    },
  );

  test('P10 what comes late after a cancel is not carried out on the live table', () => {
    const { asker, flash, terminal } = begun();
    send(asker);
    asker.get('slice.open', { task: TASK }, 'slice.state');
    terminal.press({ button: 'cancel' });
    for (const message of [
      asker.ask('users.remove', { users: [1, 2, 3], after: 0xffff_ffff }),
      asker.ask('users.digests', { after: 0 }),
      asker.push(SLICE),
      asker.ask('slice.swap', { table: new Uint8Array(16) }),
    ])
      expect(message).toMatchObject({ name: 'refused', body: { reason: 'no-such-slice' } });
    expect(heldOn(flash).live).toBe(before.live);
  });

  test('P12 pulled out and put back, it goes on with what had arrived', () => {
    const { asker, flash } = begun();
    const run = session(asker);
    for (let step = run.next(); step.value !== 'pushed'; step = run.next());
    expect(heldOn(flash).live).toBe(before.live);
    asker.hello();
    const { users } = asker.get('slice.open', { task: TASK }, 'slice.state');
    // 1 to 3 and 9 without 1 and 9, and the first half of the slice.
    expect(users).toBe(2);
    expect(asker.get('users.digests', { after: 0 }, 'users.page').users.map(({ id }) => id)).toEqual([2, 3]);
  });
});
