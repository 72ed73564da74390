import { WhorlError } from '@whorl/protocol';
import { describe, expect, test } from 'vitest';
import { bench } from '../../testing/bench.ts';
import {
  download,
  end,
  LOG_IN,
  MIRA,
  person,
  portableBench,
  send,
  swap,
  TASK,
  tell,
  wish,
} from '../../testing/portable.ts';
import type { Terminal } from '../terminal.ts';

function codeFrom(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof WhorlError ? error.code : String(error);
  }
}

const refused = (reason: string): object => ({ name: 'refused', body: { reason } });
const logKinds = (terminal: Terminal): string[] => terminal.logs().map(({ kind }) => kind);

describe('operators and modes', () => {
  test('P1 nobody changes a user without being logged in, and the PIN is asked', () => {
    const { terminal } = portableBench();
    expect(codeFrom(() => terminal.enrol({ card: 0 }))).toBe('TERMINAL_LOGIN');
    expect(codeFrom(() => terminal.press({ ...LOG_IN, pin: '0000' }))).toBe('TERMINAL_PIN');
    expect(codeFrom(() => terminal.press({ ...LOG_IN, operator: 6 }))).toBe('TERMINAL_PIN');
    expect(terminal.press(LOG_IN).operator).toEqual({ id: MIRA.id, name: MIRA.name });
    terminal.enrol({ user: 9, card: 0 });
    expect(terminal.display.unsent).toMatchObject([{ seq: 1, user: 9, what: 'enrolled', operator: MIRA.id }]);
    expect(logKinds(terminal)).toEqual(expect.arrayContaining(['operator.refused', 'operator.in']));
  });

  test('P1 five wrong PINs close the log-in for a minute, restart or not', async () => {
    const { terminal, clock } = portableBench();
    for (let i = 0; i < 5; i += 1)
      expect(codeFrom(() => terminal.press({ ...LOG_IN, pin: '0' }))).toBe('TERMINAL_PIN');
    expect(codeFrom(() => terminal.press(LOG_IN))).toBe('TERMINAL_PIN');
    terminal.reboot();
    await clock.run({ forMs: 59_000 });
    expect(codeFrom(() => terminal.press(LOG_IN))).toBe('TERMINAL_PIN');
    await clock.run({ forMs: 2_000 });
    expect(terminal.press(LOG_IN).operator?.id).toBe(MIRA.id);
  });

  test('P1 out of the box nobody can log in, and offline needs a sync before', () => {
    expect(codeFrom(() => bench().terminal.display)).toBe('TERMINAL_NOT_PORTABLE');
    const { terminal } = portableBench();
    terminal.press(LOG_IN);
    expect(codeFrom(() => terminal.press({ button: 'mode', mode: 'offline' }))).toBe('TERMINAL_UNSYNCED');
  });

  test('P1 the mode outlives a power cut, and offline it is not on the line', async () => {
    const { terminal, asker, clock } = portableBench({ synced: true });
    await clock.run({ forMs: 3_000 });
    terminal.press(LOG_IN);
    terminal.press({ button: 'mode', mode: 'offline' });
    expect(asker.hand(asker.frame('poll', {}))).toEqual([]);
    expect(terminal.tap({ user: 2 }).granted).toBe(true);
    terminal.reboot();
    await clock.run({ forMs: 2_000 });
    expect(terminal.display).toMatchObject({ mode: 'offline', online: false, operator: undefined });
    expect(asker.hand(asker.plain('discover', {}))).toEqual([]);
  });
});

describe('a sync by hand', () => {
  test('P4 offline it is refused, with the offer to switch, which begins it', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    terminal.press({ button: 'mode', mode: 'offline' });
    expect(codeFrom(() => terminal.press({ button: 'sync', mode: 'synchronise' }))).toBe('TERMINAL_MODE');
    expect(terminal.display.window).toMatchObject({ kind: 'offer-online' });
    expect(terminal.press({ button: 'confirm' })).toMatchObject({
      mode: 'online',
      window: { kind: 'progress' },
    });
    expect(wish(asker)).toMatchObject({ mode: 'synchronise', task: TASK, operator: MIRA.id });
  });

  test('P4 P9 its window shows how it stands, until it is done', () => {
    const { terminal, asker } = portableBench();
    terminal.press(LOG_IN);
    terminal.press({ button: 'sync', mode: 'synchronise', task: TASK, files: true });
    expect(wish(asker)).toMatchObject({
      number: 1,
      mode: 'synchronise',
      how: { files: true, automatic: false },
    });
    tell(asker, { stage: 'downloading', done: 12, total: 50, bytes: 9_000, rate: 900, left: 4 });
    expect(terminal.display.window).toEqual({
      kind: 'progress',
      number: 1,
      mode: 'synchronise',
      automatic: false,
      stage: 'downloading',
      ...{ done: 12, total: 50, bytes: 9_000, rate: 900, left: 4 },
    });
    expect(codeFrom(() => terminal.press({ button: 'log-out' }))).toBe('TERMINAL_SYNCING');
    expect(codeFrom(() => terminal.enrol({ card: 0 }))).toBe('TERMINAL_SYNCING');
    download(asker, [person(1)]);
    end(asker, 'done');
    expect(terminal.display).toMatchObject({ synced: TASK, window: { kind: 'message', colour: 'green' } });
    expect(wish(asker).mode).toBe('none');
  });

  test('P9 an error stays open, red, over a power cut, until someone closes it', async () => {
    const { terminal, asker, clock } = portableBench();
    terminal.press(LOG_IN);
    terminal.press({ button: 'sync', mode: 'synchronise', task: 99 });
    end(asker, 'refused', 'no such task: 99');
    const red = { kind: 'message', colour: 'red', text: 'no such task: 99' };
    expect(terminal.display.window).toEqual(red);
    terminal.reboot();
    await clock.run({ forMs: 2_000 });
    terminal.press(LOG_IN);
    expect(terminal.display.window).toEqual(red);
    expect(terminal.press({ button: 'close' }).window).toBeUndefined();
  });

  test('P12 what was wanted is wanted after a power cut, and is told as waiting', async () => {
    const { terminal, asker, clock } = portableBench();
    terminal.press(LOG_IN);
    terminal.press({ button: 'sync', mode: 'synchronise', task: TASK });
    terminal.reboot();
    await clock.run({ forMs: 10_000 });
    expect(terminal.display.window).toMatchObject({ kind: 'progress', stage: 'waiting', number: 1 });
    asker.hello();
    expect(wish(asker).number).toBe(1);
    expect(terminal.display.window).toMatchObject({ stage: 'preparing' });
  });

  test('P5 a download over unsent changes asks first; confirmed, they are lost, and the log says who confirmed it', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    terminal.enrol({ user: 9, card: 0 });
    expect(codeFrom(() => terminal.press({ button: 'sync', mode: 'download' }))).toBe('TERMINAL_UNSENT');
    expect(terminal.display.window).toMatchObject({ kind: 'confirm-loss', unsent: 1 });
    expect(terminal.press({ button: 'close' })).toMatchObject({ window: undefined });
    expect(terminal.press({ button: 'confirm' }).window).toBeUndefined();
    expect(codeFrom(() => terminal.press({ button: 'sync', mode: 'download' }))).toBe('TERMINAL_UNSENT');
    terminal.press({ button: 'confirm' });
    expect(wish(asker)).toMatchObject({ mode: 'synchronise', how: { forget: true } });
    expect(terminal.logs()).toContainEqual(
      expect.objectContaining({ kind: 'sync.forgets', detail: MIRA.id }),
    );
    download(asker, [person(1)]);
    end(asker, 'done');
    expect(terminal.display.unsent).toEqual([]);
    expect([...terminal.users().keys()]).toEqual([1]);
  });

  test('P5 nobody can swap a slice in over unsent changes that were not confirmed to be lost', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    terminal.enrol({ user: 9, card: 0 });
    terminal.press({ button: 'sync', mode: 'synchronise' });
    asker.get('slice.open', { task: TASK }, 'slice.state');
    expect(swap(asker)).toMatchObject(refused('unsent-changes'));
    expect(asker.ask('slice.swap', { table: new Uint8Array(16) })).toMatchObject(refused('other-table'));
    expect(send(asker)).toBe(1);
    expect(swap(asker)).toMatchObject({ name: 'slice.swapped' });
  });
});

describe('a sync in the dock', () => {
  test('P7 a terminal that does not notice itself is told of its supply, and answers what it wants', () => {
    const { terminal, asker } = portableBench({ synced: true });
    const told = (present: boolean): unknown => asker.ask('supply.tell', { supply: { present } });
    expect(told(true)).toMatchObject({
      name: 'sync.wish',
      body: { mode: 'synchronise', task: TASK, operator: MIRA.id, how: { automatic: true, files: false } },
    });
    end(asker, 'done');
    expect(terminal.display).toMatchObject({
      operator: undefined,
      window: { kind: 'message', colour: 'green' },
    });
    told(false);
    expect(told(true)).toMatchObject({ body: { mode: 'none' } });
  });

  test('P7 its options: nothing by itself, or send only, or files too', () => {
    const inDock = (options: object): unknown => {
      const { terminal, asker } = portableBench({ synced: true });
      terminal.press(LOG_IN);
      terminal.press({ button: 'options', ...options });
      terminal.press({ button: 'log-out' });
      terminal.setSupply(true);
      return wish(asker);
    };
    expect(inDock({ automatic: false })).toMatchObject({ mode: 'none' });
    expect(inDock({ data: false, files: true })).toMatchObject({ mode: 'send', how: { files: false } });
    expect(inDock({ files: true })).toMatchObject({ mode: 'synchronise', how: { files: true } });
  });

  test('P7 it is put into its dock while its flash cannot be written: nothing is synced until it comes there again', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.flash.fails = true;
    terminal.setSupply(true);
    expect(terminal.sensors.docked).toBe(true);
    expect(wish(asker)).toMatchObject({ mode: 'none' });
    terminal.flash.fails = false;
    terminal.setSupply(false);
    terminal.setSupply(true);
    expect(wish(asker)).toMatchObject({ mode: 'synchronise', how: { automatic: true } });
  });

  test('P7 before the first sync it sends only, under the first task that it lists', () => {
    const { terminal, asker } = portableBench();
    terminal.press(LOG_IN);
    terminal.enrol({ user: 9, card: 0 });
    terminal.press({ button: 'log-out' });
    terminal.setSupply(true);
    expect(wish(asker)).toMatchObject({ mode: 'send', task: TASK });
  });

  test('P7 voltage that came while it was off counts when it starts', async () => {
    const { terminal, asker, clock } = portableBench({ synced: true });
    terminal.powerOff();
    terminal.setSupply(true);
    terminal.powerOn();
    await clock.run({ forMs: 2_000 });
    asker.hello();
    expect(wish(asker)).toMatchObject({ mode: 'synchronise', how: { automatic: true } });
  });

  test('P9 cancelled, its window closes, and nobody is logged in', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.setSupply(true);
    const { number } = wish(asker);
    expect(terminal.press({ button: 'cancel' })).toMatchObject({ window: undefined, operator: undefined });
    expect(tell(asker, { stage: 'sending', number })).toBe(true);
    expect(logKinds(terminal)).toContain('sync.cancelled');
  });

  test('P9 the end of a sync that is told twice is no cancel the second time', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.setSupply(true);
    const { number } = wish(asker);
    expect(tell(asker, { stage: 'done', number })).toBe(false);
    expect(tell(asker, { stage: 'done', number })).toBe(false);
    expect(tell(asker, { stage: 'done', number: number + 1 })).toBe(true);
  });
});

describe('lists', () => {
  test('P1 operators and tasks come in pages, which count once the last one is there', async () => {
    const { terminal, asker, clock } = portableBench();
    const tasks = [1, 2, 3, 4, 5].map((id) => ({ id, name: `Task ${id}` }));
    const listed = (): number[] => terminal.display.tasks.map(({ id }) => id);
    asker.get('tasks.set', { from: 0, total: 5, tasks: tasks.slice(0, 2) }, 'list.taken');
    expect(listed()).toEqual([TASK]);
    expect(asker.ask('tasks.set', { from: 4, total: 5, tasks: tasks.slice(4) })).toMatchObject(
      refused('malformed'),
    );
    asker.get('tasks.set', { from: 2, total: 5, tasks: tasks.slice(2) }, 'list.taken');
    expect(listed()).toEqual([1, 2, 3, 4, 5]);
    asker.get('operators.set', { from: 0, total: 0, operators: [] }, 'list.taken');
    terminal.reboot();
    await clock.run({ forMs: 2_000 });
    expect(listed()).toEqual([1, 2, 3, 4, 5]);
    expect(terminal.display.operators).toEqual([]);
    expect(codeFrom(() => terminal.press(LOG_IN))).toBe('TERMINAL_PIN');
  });
});

describe('the journal', () => {
  test('P4 a user has one change at most, with the number of the last; what is settled under an older number stays', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    terminal.enrol({ user: 9, card: 0 });
    terminal.edit({ user: 1, set: { name: 'Ada' } });
    terminal.edit({ user: 9, set: { name: 'Nine' } });
    terminal.remove(2);
    const { changes } = asker.get('journal.read', { after: 0 }, 'journal.page');
    expect(changes.map(({ seq, user, what }) => [seq, user, what])).toEqual([
      [2, 1, 'edited'],
      [3, 9, 'enrolled'],
      [4, 2, 'deleted'],
    ]);
    const answers = [
      { seq: 1, result: 'merged', reason: '' },
      { seq: 4, result: 'refused', reason: 'users are deleted at the gateway' },
    ] as const;
    expect(asker.get('journal.settle', { answers }, 'journal.settled')).toEqual({ left: 2 });
    expect(terminal.display.answers).toEqual([
      { seq: 4, user: 2, result: 'refused', reason: 'users are deleted at the gateway' },
    ]);
  });

  test('P4 it outlives power cuts and a flash that is written anew', async () => {
    const { terminal, asker, clock } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    for (let i = 0; i < 400; i += 1) terminal.enrol({ user: 9, finger: 1 });
    const before = terminal.display;
    expect(before.unsent).toMatchObject([{ seq: 400, user: 9 }]);
    terminal.press({ button: 'sync', mode: 'send' });
    terminal.reboot();
    await clock.run({ forMs: 2_000 });
    expect(terminal.display.unsent).toEqual(before.unsent);
    expect(terminal.display.tasks).toEqual(before.tasks);
    asker.hello();
    expect(send(asker)).toBe(1);
  });

  test('P3 send moves nothing to the terminal: there is no slice to open', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    terminal.press({ button: 'sync', mode: 'send' });
    expect(asker.ask('slice.open', { task: TASK })).toMatchObject(refused('no-such-slice'));
    expect(asker.push([person(8)])).toMatchObject(refused('no-such-slice'));
  });

  test('C6 who is erased is erased from both tables and the journal', () => {
    const { terminal, asker } = portableBench({ synced: true });
    terminal.press(LOG_IN);
    terminal.edit({ user: 1, set: { name: 'Ada' } });
    terminal.press({ button: 'sync', mode: 'synchronise' });
    asker.get('slice.open', { task: TASK }, 'slice.state');
    asker.hello();
    asker.get('users.remove', { users: [1], after: 0xffff_ffff }, 'users.removed');
    expect(terminal.users().has(1)).toBe(false);
    expect(terminal.display.unsent).toEqual([]);
    expect(asker.get('slice.open', { task: TASK }, 'slice.state').users).toBe(2);
  });
});
