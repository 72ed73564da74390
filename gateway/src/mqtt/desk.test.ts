import { VirtualClock } from '@whorl/protocol';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { silentLog } from '../settings/log.ts';
import type { Deed } from '../access/audit.ts';
import { DEFAULT_RUNTIME_SETTINGS } from '../settings/runtime.ts';
import { COMMANDS } from './commands.ts';
import { CommandDesk, MOST_COMMAND_BYTES } from './desk.ts';
import type { Reply } from './desk.ts';
import { answerSchema } from './document.ts';
import { fakeOperations, fakeTasks, Memory, statusOf, updated } from './testing/bench.ts';

function desk() {
  const [clock, operations, memory] = [new VirtualClock(), fakeOperations(), new Memory()];
  const errors = vi.fn();
  const log = { ...silentLog, error: errors };
  const audited: Deed[] = [];
  const audit = {
    act<T>(deed: Deed, work: () => Promise<T>): Promise<T> {
      audited.push(deed);
      return work();
    },
  };
  const tasks = fakeTasks();
  const taking = new CommandDesk({ clock, operations, tasks, store: memory.store, log, audit });
  const send = (name: string, payload: string | Uint8Array, retained = false): Promise<Reply | undefined> =>
    taking.take({ name, payload: Buffer.from(payload), retained });
  const ask = async (name: string, command: unknown): Promise<unknown> => {
    const reply = await send(name, JSON.stringify(command));
    return reply === undefined ? undefined : { topic: reply.topic, ...(JSON.parse(reply.payload) as object) };
  };
  const nothingDone = (): void => {
    for (const operation of Object.values(operations)) expect(operation).not.toHaveBeenCalled();
  };
  return { clock, operations, tasks, memory, errors, audited, send, ask, nothingDone };
}

test.each([
  ['status', {}, statusOf()],
  ['users.push', { users: [1, 2], terminals: ['door'] }, { rows: 2 }],
  ['users.pull', { user: 1, terminal: 'door' }, {}],
  ['ledger.retry', {}, { retried: 3 }],
  ['ledger.retry', { user: 7, terminal: 'door' }, { retried: 3 }],
  ['settings.get', {}, DEFAULT_RUNTIME_SETTINGS],
  ['settings.set', { changes: { autoSync: 'off' } }, { ...DEFAULT_RUNTIME_SETTINGS, autoSync: 'off' }],
  ['events.list', { after: 0 }, { events: [] }],
])('G5 %s %j is answered as its schema says', async (name, members, result) => {
  const { ask } = desk();
  const answer = await ask(name, { id: 'a.1', ...members });
  expect(answer).toEqual({ topic: 'answers/a.1', id: 'a.1', ok: true, result });
  const { topic: _, ...body } = answer as { topic: string };
  const row = COMMANDS.get(name);
  expect(row && answerSchema(row.result).safeParse(body).error).toBeUndefined();
});

test('G5 events that a program missed are listed, without what is not for others', async () => {
  const { ask, memory } = desk();
  for (let user = 1; user <= 5; user += 1) memory.add({ ...updated(user, 'terminal'), source: 'WX-1/1/5' });
  const answer = await ask('events.list', { id: 'a', after: 2, limit: 2 });
  expect(answer).toMatchObject({ ok: true, result: { events: [{ id: 3 }, { id: 4, origin: 'terminal' }] } });
  expect(JSON.stringify(answer)).not.toContain('source');
});

test('only the settings that are named are changed', async () => {
  const { ask, operations } = desk();
  await ask('settings.set', { id: 'a', changes: { restoreDeleted: true } });
  expect(operations.changeSettings).toHaveBeenCalledExactlyOnceWith({ restoreDeleted: true });
});

test.each([
  ['an unknown command', 'users.psuh', {}, 'MQTT_UNKNOWN', undefined, 'users.push'],
  ['a command that only objects have', '__proto__', {}, 'MQTT_UNKNOWN', undefined, '__proto__'],
  [
    'an unknown key',
    'users.pull',
    { user: 1, terminal: 'a', termnal: 'b' },
    'MQTT_COMMAND',
    'termnal',
    'terminal',
  ],
  ['a missing key', 'users.pull', { user: 1 }, 'MQTT_COMMAND', 'terminal', ''],
  ['a wrong type', 'users.push', { users: [1, '2'], terminals: ['a'] }, 'MQTT_COMMAND', 'users.1', ''],
  ['a number out of range', 'users.pull', { user: 0, terminal: 'a' }, 'MQTT_COMMAND', 'user', ''],
  ['nobody', 'users.push', { users: [], terminals: ['a'] }, 'MQTT_COMMAND', 'users', ''],
  ['an unknown setting', 'settings.set', { changes: { speed: 1 } }, 'MQTT_COMMAND', 'changes.speed', ''],
  ['no setting', 'settings.set', { changes: {} }, 'MQTT_COMMAND', 'changes', ''],
  ['a prototype', 'status', JSON.parse('{"__proto__": 1}'), 'MQTT_COMMAND', '__proto__', ''],
  ['an enormous key', 'status', { ['k'.repeat(200_000)]: 1 }, 'MQTT_COMMAND', undefined, 'kkk'],
])(
  '%s is answered with what is wrong, and nothing is done',
  async (...[, name, members, code, place, named]) => {
    const { ask, nothingDone } = desk();
    const answer = await ask(name, { id: 'x', ...(members as object) });
    expect(answer).toMatchObject({ topic: 'answers/x', id: 'x', ok: false, error: { code } });
    const { error } = answer as { error: { message: string; place?: string; remedy: string } };
    if (place !== undefined) expect(error.place).toBe(place);
    expect(error.message).toContain(named);
    expect(error.message.length).toBeLessThan(300);
    expect(error.remedy).not.toBe('');
    nothingDone();
  },
);

test.each([
  ['not JSON', '{"id":'],
  ['not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d)],
  ['a number', '7'],
  ['nothing', 'null'],
  ['a list', '[{"id":"a"}]'],
  ['no id', '{}'],
  ['an id that is a topic', '{"id":"a/b"}'],
  ['an id with a wildcard', '{"id":"#"}'],
  ['a long id', JSON.stringify({ id: 'a'.repeat(65) })],
])('%s is told under errors', async (_, payload) => {
  const { send, nothingDone } = desk();
  const reply = await send('users.push', payload);
  expect(reply?.topic).toBe('errors');
  expect(JSON.parse(reply?.payload ?? '')).toMatchObject({
    topic: 'commands/users.push',
    error: { code: 'MQTT_JSON' },
  });
  nothingDone();
});

test('a command that is too large is told under errors, unread', async () => {
  const { send } = desk();
  const reply = await send('status', `{"id":"a"${' '.repeat(MOST_COMMAND_BYTES)}}`);
  expect(reply).toMatchObject({ topic: 'errors' });
  expect(reply?.payload).toContain('MQTT_TOO_LARGE');
});

test('whatever arrives, something sensible is said and nothing is thrown', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.constantFrom(...COMMANDS.keys()), fc.string()),
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.json().map((json) => `{"id":"a","users":${json}}`),
      ),
      async (name, payload) => {
        const { send } = desk();
        const reply = await send(name, payload);
        if (payload === '') expect(reply).toBeUndefined();
        else expect(reply?.topic).toMatch(/^(errors|answers\/[\w.-]{1,64})$/);
      },
    ),
    { numRuns: 200 },
  );
});

test('G5 the same command twice is done once and answered twice, also while it is under way', async () => {
  const { ask, operations, clock } = desk();
  const { promise, resolve } = Promise.withResolvers<number>();
  operations.push.mockReturnValue(promise);
  const command = { id: 'p', users: [1], terminals: ['door'] };
  const both = Promise.all([ask('users.push', command), ask('users.push', command)]);
  resolve(4);
  const [first, second] = await both;
  await clock.run({ forMs: 500_000 });
  expect([first, second, await ask('users.push', command)]).toEqual(
    Array.from({ length: 3 }, () => ({ topic: 'answers/p', id: 'p', ok: true, result: { rows: 4 } })),
  );
  expect(operations.push).toHaveBeenCalledOnce();
  await clock.run({ forMs: 200_000 });
  await ask('users.push', command);
  expect(operations.push).toHaveBeenCalledTimes(2);
});

test('a failure is the answer of a repetition, too; a new attempt takes a new id', async () => {
  const { ask, operations } = desk();
  const command = { user: 1, terminal: 'cellar' };
  const first = await ask('users.pull', { id: 'a', ...command });
  expect(first).toMatchObject({ ok: false, error: { code: 'TERMINAL_UNKNOWN' } });
  expect(await ask('users.pull', { id: 'a', ...command })).toEqual(first);
  expect(operations.pull).toHaveBeenCalledOnce();
  await ask('users.pull', { id: 'b', ...command });
  expect(operations.pull).toHaveBeenCalledTimes(2);
});

test('the id of one command is not taken for another one', async () => {
  const { ask, operations } = desk();
  await ask('users.pull', { id: 'a', user: 1, terminal: 'door' });
  for (const [name, rest] of [
    ['users.pull', { user: 2, terminal: 'door' }],
    ['ledger.retry', {}],
  ] as const)
    expect(await ask(name, { id: 'a', ...rest })).toMatchObject({
      ok: false,
      error: { code: 'MQTT_ID_USED' },
    });
  expect(operations.pull).toHaveBeenCalledOnce();
  expect(operations.retry).not.toHaveBeenCalled();
  expect(await ask('status', { id: 'a' })).toMatchObject({ ok: true });
});

test('a retained command is not done; without the flag it is, under the same id', async () => {
  const { send, ask, operations } = desk();
  const command = { id: 'r', user: 1, terminal: 'door' };
  const reply = await send('users.pull', JSON.stringify(command), true);
  expect(reply?.payload).toContain('MQTT_RETAINED');
  expect(operations.pull).not.toHaveBeenCalled();
  expect(await ask('users.pull', command)).toMatchObject({ ok: true });
  const again = await send('users.pull', JSON.stringify(command), true);
  expect(again?.payload).toContain('"ok":true');
  expect(operations.pull).toHaveBeenCalledOnce();
});

test('an empty message, as one clears a retained one, asks nothing', async () => {
  const { send } = desk();
  expect(await send('status', '', true)).toBeUndefined();
});

test('commands that come too fast are told so, then passed over; later ones are taken again', async () => {
  const { ask, clock, operations } = desk();
  const codes: unknown[] = [];
  for (let n = 0; n < 200; n += 1) {
    const answer = (await ask('status', { id: 's' })) as { error?: { code: string } } | undefined;
    codes.push(answer === undefined ? 'silence' : (answer.error?.code ?? 'done'));
  }
  expect(
    Map.groupBy(codes, (code) => code)
      .keys()
      .toArray(),
  ).toEqual(['done', 'MQTT_BUSY', 'silence']);
  expect(operations.status).toHaveBeenCalledTimes(100);
  await clock.run({ forMs: 1000 });
  expect(await ask('status', { id: 's' })).toMatchObject({ ok: true });
});

test('no more than a few commands are under way at once', async () => {
  const { ask, operations } = desk();
  const { promise, resolve } = Promise.withResolvers<number>();
  operations.retry.mockReturnValue(promise);
  const running = Array.from({ length: 32 }, (_, n) => ask('ledger.retry', { id: `a${n}` }));
  expect(await ask('ledger.retry', { id: 'late' })).toMatchObject({ error: { code: 'MQTT_BUSY' } });
  resolve(0);
  await Promise.all(running);
  expect(await ask('ledger.retry', { id: 'late' })).toMatchObject({ ok: true });
});

test('a fault of ours is told without its text, which the log has', async () => {
  const { ask, operations, errors } = desk();
  operations.settings.mockRejectedValue(new TypeError('x of undefined'));
  const answer = await ask('settings.get', { id: 'a' });
  expect(answer).toMatchObject({ ok: false, error: { code: 'INTERNAL' } });
  expect(JSON.stringify(answer)).not.toContain('x of undefined');
  expect(errors).toHaveBeenCalledExactlyOnceWith(
    { stack: expect.stringContaining('TypeError') as string },
    expect.stringContaining('settings.get'),
  );
});

test('B17 commands that change something stand in the audit trail, others do not', async () => {
  const { ask, audited } = desk();
  await ask('status', { id: 'a' });
  await ask('users.push', { id: 'b', users: [1], terminals: ['door'] });
  expect(audited).toEqual([
    {
      who: 'mqtt',
      place: 'mqtt',
      deed: 'users.push',
      target: 'users',
      detail: { users: [1], terminals: ['door'] },
    },
  ]);
});

test('P3 a program lists sync sessions and cancels one', async () => {
  const { ask, tasks } = desk();
  expect(await ask('syncs.list', { id: 'a', terminal: 'handheld' })).toMatchObject({ result: { syncs: [] } });
  expect(await ask('syncs.cancel', { id: 'b', terminal: 'handheld' })).toMatchObject({ result: {} });
  expect(tasks.cancel).toHaveBeenCalledExactlyOnceWith('handheld', 'mqtt');
});
