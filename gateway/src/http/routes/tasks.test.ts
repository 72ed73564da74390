import { expect, test } from 'vitest';
import { api } from '../testing/bench.ts';

const PIN = '482913';
const TASK = { name: 'North gate', slice: { who: { by: 'groups', groups: [1] } } };

test('P2 a task is defined, changed, listed and removed, and names only what is there', async () => {
  const { app, gateway } = await api();
  const added = await app.inject({ method: 'POST', url: '/tasks', payload: TASK });
  expect(added.json()).toMatchObject({ id: 1, ...TASK, terminals: [], operators: [], files: [] });
  const edit = (payload: object) => app.inject({ method: 'PATCH', url: '/tasks/1', payload });
  expect((await edit({ validUntil: 5000 })).json()).toMatchObject({ validUntil: 5000 });
  expect((await edit({ validUntil: null, name: 'South' })).json()).not.toHaveProperty('validUntil');
  for (const [payload, code] of [
    [{ terminals: ['nobody'] }, 'TERMINAL_UNKNOWN'],
    [{ files: ['none.png'] }, 'TASK_FILE_UNKNOWN'],
    [{ operators: [9] }, 'OPERATOR_UNKNOWN'],
    [{ slice: { who: { by: 'site', site: 'elsewhere' } } }, 'SITE_UNKNOWN'],
    [{ validFrom: 9, validUntil: 8 }, 'REQUEST_INVALID'],
    [{ name: 'a name that is longer than a display has room for' }, 'REQUEST_INVALID'],
  ] as const)
    expect((await edit(payload)).json()).toMatchObject({ code });
  expect((await app.inject({ method: 'DELETE', url: '/tasks/1' })).statusCode).toBe(200);
  expect((await app.inject({ method: 'GET', url: '/tasks/1' })).json()).toMatchObject({
    code: 'TASK_UNKNOWN',
  });
  const types = (await gateway.store.events({ limit: 100 })).map(({ type }) => type);
  expect(types.filter((type) => type.startsWith('task.'))).toEqual([
    'task.added',
    'task.changed',
    'task.changed',
    'task.removed',
  ]);
});

test('P1 G7 an operator’s PIN is told to nobody, and stands in no answer, audit trail or list', async () => {
  const { app, audit, gateway } = await api();
  const put = (payload: object) => app.inject({ method: 'PUT', url: '/operators/5', payload });
  expect((await put({ name: 'Mira' })).json()).toMatchObject({ code: 'OPERATOR_UNKNOWN' });
  for (const pin of ['12', '1111', 'abcdef'])
    expect((await put({ name: 'Mira', pin })).json()).toMatchObject({ code: 'OPERATOR_PIN' });
  expect((await put({ name: 'Mira', pin: PIN })).statusCode).toBe(200);
  const list = await app.inject({ method: 'GET', url: '/operators' });
  expect(list.json()).toEqual([{ id: 5, name: 'Mira' }]);
  expect(JSON.stringify(await audit.list({ limit: 100 }))).not.toContain(PIN);
  expect(JSON.stringify(await gateway.store.events({ limit: 100 }))).not.toContain(PIN);
  await app.inject({ method: 'POST', url: '/tasks', payload: { ...TASK, operators: [5] } });
  const remove = () => app.inject({ method: 'DELETE', url: '/operators/5' });
  expect((await remove()).json()).toMatchObject({ code: 'OPERATOR_USED' });
  await app.inject({ method: 'DELETE', url: '/tasks/1' });
  expect((await remove()).statusCode).toBe(200);
});

test('P11 a file is kept sealed, read in pieces, and bounded', async () => {
  const { app, gateway } = await api();
  const bytes = Buffer.alloc(150_000, 'PLAN-THAT-NOBODY-MAY-READ');
  const put = (name: string, content: Buffer) =>
    app.inject({
      method: 'PUT',
      url: `/files/${name}`,
      payload: { kind: 'floor-plan', content: content.toString('base64') },
    });
  expect((await put('floor.png', bytes)).json()).toMatchObject({ name: 'floor.png', size: 150_000 });
  const { tasks } = gateway.store;
  const [file] = await tasks.files();
  if (file === undefined) throw new Error('no file');
  for (const [from, count] of [
    [0, 10],
    [65_530, 20],
    [0, 150_000],
    [149_990, 500],
  ] as const)
    expect(Buffer.from((await tasks.readFile(file, from, count)) ?? [])).toEqual(
      bytes.subarray(from, from + count),
    );
  await put('floor.png', Buffer.from('another'));
  expect(await tasks.readFile(file, 0, 10)).toBeUndefined();
  expect((await put('big.bin', Buffer.alloc((16 << 20) + 1))).json()).toMatchObject({
    code: 'TASK_FILE_SIZE',
  });
  expect((await put('..%2Fetc', bytes)).json()).toMatchObject({ code: 'REQUEST_INVALID' });
  expect((await app.inject({ method: 'DELETE', url: '/files/floor.png' })).statusCode).toBe(200);
});

test('P2 the roles: an operator may cancel, and defines no task', async () => {
  const { network, access } = await api();
  await access.addAccount({ name: 'olga', role: 'operator', password: 'quiet-Harbour-41-lamp' });
  const login = await network.inject({
    method: 'POST',
    url: '/login',
    payload: { name: 'olga', password: 'quiet-Harbour-41-lamp' },
  });
  const { token } = login.json<{ token: string }>();
  const ask = (method: 'GET' | 'POST', url: string, payload?: object) =>
    network.inject({
      ...{ method, url, headers: { authorization: `Bearer ${token}` } },
      ...(payload === undefined ? {} : { payload }),
    });
  expect((await ask('POST', '/tasks', TASK)).json()).toMatchObject({ code: 'AUTH_ROLE' });
  expect((await ask('GET', '/syncs')).json()).toEqual([]);
  expect((await ask('POST', '/terminals/nobody/sync/cancel', {})).json()).toMatchObject({
    code: 'TERMINAL_UNKNOWN',
  });
});
