import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { codeOf, seededRandom } from '@whorl/protocol';
import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../settings/log.ts';
import { connectProgram, listen, startBench, updated } from './testing/bench.ts';
import type { Bench } from './testing/bench.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

const password = ({ face }: Bench): string => readFileSync(face.passwordFile ?? '', 'utf8').trim();
const url = ({ face }: Bench): string => face.brokerUrl ?? '';
const port = (bench: Bench): number => Number(new URL(url(bench)).port);

async function rawSocket(bench: Bench): Promise<Socket> {
  const socket = connect(port(bench), '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

const closed = (socket: Socket): Promise<unknown> =>
  socket.closed ? Promise.resolve() : new Promise((resolve) => socket.resume().once('close', resolve));

/** The gateway still says what happens, to a program that was there before. */
async function stillWorks(bench: Bench, program: Awaited<ReturnType<typeof listen>>): Promise<void> {
  const { id } = bench.memory.add(updated(1));
  await vi.waitFor(
    () =>
      expect(program.under('events/user/update/succeeded')).toContainEqual(expect.objectContaining({ id })),
    PATIENCE,
  );
  expect(program.client.connected).toBe(true);
}

test.each([
  ['a wrong password', { username: 'whorl', password: 'wrong' }],
  ['no password', { username: 'whorl' }],
  ['an empty password', { username: 'whorl', password: '' }],
  ['nobody', {}],
])('%s is refused', async (_, login) => {
  const bench = await startBench();
  await expect(connectProgram(url(bench), login)).rejects.toThrow('Not authorized');
});

test('the right password of a wrong user, or under the id of the gateway, is refused', async () => {
  const bench = await startBench();
  const right = password(bench);
  await expect(connectProgram(url(bench), { username: 'admin', password: right })).rejects.toThrow();
  await expect(
    connectProgram(url(bench), { username: 'whorl', password: right, clientId: 'whorl-hq' }),
  ).rejects.toThrow();
  const program = await listen(bench);
  await stillWorks(bench, program);
});

test('the password is not in the log; its file is', async () => {
  const lines: string[] = [];
  const write = (data: object, text: string): void => void lines.push(text, JSON.stringify(data));
  const bench = await startBench({}, { log: { debug: write, info: write, warn: write, error: write } });
  await expect(connectProgram(url(bench), { username: 'whorl', password: 'guessed' })).rejects.toThrow();
  expect(lines.join('\n')).toContain(bench.face.passwordFile);
  expect(lines.join('\n')).not.toContain(password(bench));
  expect(lines.join('\n')).not.toContain('guessed');
});

test.each([
  'whorl/hq/state',
  'whorl/hq/events/user/added',
  'whorl/hq/answers/a',
  'whorl/other/commands/status',
  'x',
])('a program that publishes to %s is sent away, and nobody hears it', async (topic) => {
  const bench = await startBench();
  const [program, liar] = [await listen(bench), await listen(bench)];
  const gone = new Promise<void>((resolve) => liar.client.once('close', () => resolve()));
  liar.client.publish(topic, '{"state":"lie"}', { qos: 1, retain: true });
  await gone;
  await stillWorks(bench, program);
  expect(program.heard.filter(({ body }) => JSON.stringify(body).includes('lie'))).toEqual([]);
});

test('a last will is no way around that', async () => {
  const bench = await startBench();
  const program = await listen(bench);
  const liar = await listen(bench, {
    will: { topic: 'whorl/hq/state', payload: Buffer.from('{"state":"lie"}'), qos: 1, retain: true },
  });
  liar.client.stream.destroy();
  await stillWorks(bench, program);
  const later = await listen(bench);
  await vi.waitFor(() => expect(later.under('state')).toEqual([{ state: 'online' }]), PATIENCE);
  expect(program.under('state')).toEqual([{ state: 'online' }]);
});

test.each(['#', '+/+/state', 'whorl/#', 'whorl/+/state', 'whorl/hq/state'])(
  'a program may subscribe to %s',
  async (filter) => {
    const bench = await startBench();
    const program = await connectProgram(url(bench), { username: 'whorl', password: password(bench) });
    await program.client.subscribeAsync(filter, { qos: 1 });
    await vi.waitFor(() => expect(program.under('state')).toEqual([{ state: 'online' }]), PATIENCE);
  },
);

test.each(['$SYS/#', 'whorl/other/#', 'others/#', 'whorl/hqx/state'])(
  'a program may not subscribe to %s',
  async (filter) => {
    const bench = await startBench();
    const program = await connectProgram(url(bench), { username: 'whorl', password: password(bench) });
    await expect(program.client.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
    expect(program.client.connected).toBe(true);
  },
);

test('MQTT 5 is refused, which the log says', async () => {
  const warn = vi.fn();
  const bench = await startBench({}, { log: { ...silentLog, warn } });
  const login = { username: 'whorl', password: password(bench) };
  await expect(connectProgram(url(bench), { ...login, protocolVersion: 5 })).rejects.toThrow();
  await vi.waitFor(() => {
    expect(warn).toHaveBeenCalled();
  }, PATIENCE);
  expect(warn.mock.calls.map(([, text]) => String(text)).join('\n')).toMatch(
    /sent away: .*(version|protocol)/i,
  );
});

test('a program must say how long it may be silent', async () => {
  const bench = await startBench();
  const login = { username: 'whorl', password: password(bench) };
  await expect(connectProgram(url(bench), { ...login, keepalive: 0 })).rejects.toThrow();
  await expect(connectProgram(url(bench), { ...login, keepalive: 20_000 })).rejects.toThrow();
});

test('nothing is hoarded for a program that is away', async () => {
  const bench = await startBench();
  const options = { clean: false, clientId: 'away' };
  const first = await listen(bench, options);
  await first.client.endAsync();
  bench.memory.add(updated(1));
  const second = await listen(bench, options);
  await stillWorks(bench, second);
  expect(second.under('events/user/update/succeeded')).toMatchObject([{ id: 2 }]);
  expect(await second.ask('events.list', { id: 'a', after: 0 })).toMatchObject({
    result: { events: [{ id: 1 }, { id: 2 }] },
  });
});

test('a retained command is not done, and not kept', async () => {
  const bench = await startBench();
  const program = await listen(bench);
  const command = JSON.stringify({ id: 'r', user: 1, terminal: 'door' });
  await program.client.publishAsync('whorl/hq/commands/users.pull', command, { qos: 1, retain: true });
  await vi.waitFor(
    () => expect(program.under('answers/r')).toMatchObject([{ ok: false, error: { code: 'MQTT_RETAINED' } }]),
    PATIENCE,
  );
  expect(bench.operations.pull).not.toHaveBeenCalled();
  const later = await listen(bench);
  await stillWorks(bench, later);
  expect(later.heard.filter(({ retain }) => retain).map(({ topic }) => topic)).not.toContainEqual(
    expect.stringMatching(/commands|retained\//),
  );
});

test('a packet without end is cut off by its header', async () => {
  const bench = await startBench();
  const program = await listen(bench);
  const stranger = await rawSocket(bench);
  stranger.write(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f));
  await closed(stranger);
  const liar = await listen(bench);
  const gone = new Promise<void>((resolve) => liar.client.once('close', () => resolve()));
  liar.client.publish('whorl/hq/commands/status', Buffer.alloc(300_000), { qos: 1 });
  await gone;
  await stillWorks(bench, program);
});

test('a program that does not read is cut off; nobody waits for it', async () => {
  const warn = vi.fn();
  const bench = await startBench({}, { log: { ...silentLog, warn } });
  const program = await listen(bench);
  const deaf = await listen(bench);
  const gone = new Promise<void>((resolve) => deaf.client.once('close', () => resolve()));
  deaf.client.stream.pause();
  if ('_read' in deaf.client.stream) vi.spyOn(deaf.client.stream, '_read').mockReturnValue(undefined);
  const reason = 'r'.repeat(100_000);
  for (let n = 0; n < 400; n += 1)
    bench.memory.add({ type: 'line.closed', time: 1, line: 'floor', data: { reason } });
  await vi.waitFor(() => expect(program.under('events/line/closed')).toHaveLength(400), { timeout: 25_000 });
  await vi.waitFor(() => expect(warn).toHaveBeenCalled(), { timeout: 25_000 });
  deaf.client.stream.destroy();
  await gone;
  await stillWorks(bench, program);
});

test('garbage on the socket stops nobody', async () => {
  const bench = await startBench();
  const program = await listen(bench);
  const random = seededRandom(7);
  for (let round = 0; round < 60; round += 1) {
    const socket = await rawSocket(bench);
    if (round % 2 === 1) socket.write(hello(password(bench), `g${round}`));
    for (let n = random.below(6); n >= 0; n -= 1) socket.write(packetLike(random));
    if (round % 3 === 0) socket.destroy();
    else socket.end();
    await closed(socket);
  }
  await stillWorks(bench, program);
});

/** A sound CONNECT of a program that knows the password. */
function hello(secret: string, id: string): Uint8Array {
  const text = (value: string): Buffer => Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value)]);
  const body = Buffer.concat([
    text('MQTT'),
    Buffer.from([4, 0xc2, 0, 60]),
    text(id),
    text('whorl'),
    text(secret),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}

/** Any packet type, mostly with a length that is right, and anything inside. */
function packetLike(random: ReturnType<typeof seededRandom>): Uint8Array {
  const body = Buffer.from(random.bytes(random.below(40)));
  // Lengths of strings that lie inside now and then.
  if (body.length > 4) body.writeUInt16BE(random.below(6), 2 * random.below(2));
  const length = random.below(5) === 0 ? random.below(127) : body.length;
  return Buffer.concat([Buffer.from([random.below(256), length]), body]);
}

test('no more than so many programs', async () => {
  const bench = await startBench();
  const program = await listen(bench);
  const login = { username: 'whorl', password: password(bench) };
  await Promise.all(Array.from({ length: 63 }, () => connectProgram(url(bench), login)));
  await expect(connectProgram(url(bench), login)).rejects.toThrow('Not authorized');
  await stillWorks(bench, program);
  await program.client.endAsync();
  await vi.waitFor(() => connectProgram(url(bench), login), PATIENCE);
});

test('a port that is taken, and TLS that is missing, end the start with a code', async () => {
  const bench = await startBench();
  expect(codeOf(await startBench({ port: port(bench) }).catch((error: unknown) => error))).toBe(
    'MQTT_BROKER',
  );
  for (const config of [{ host: '0.0.0.0' }, { tls: { cert: '/nowhere/c', key: '/nowhere/k' } }])
    expect(codeOf(await startBench(config).catch((error: unknown) => error))).toBe('MQTT_TLS');
});

test('stopping sends everybody away, strangers included', async () => {
  const bench = await startBench();
  const [program, stranger] = [await listen(bench), await rawSocket(bench)];
  const gone = new Promise<void>((resolve) => program.client.once('close', () => resolve()));
  await bench.face.stop();
  await Promise.all([gone, closed(stranger)]);
  expect(program.under('state')).toEqual([{ state: 'online' }, { state: 'offline' }]);
  await expect(connectAsync(url(bench), { reconnectPeriod: 0 }, false)).rejects.toThrow();
});
