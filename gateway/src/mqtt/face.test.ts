import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import { expect, onTestFinished, test, vi } from 'vitest';
import { seededRandom, systemClock } from '@whorl/protocol';
import { startGateway } from '../gateway.ts';
import { silentLog } from '../settings/log.ts';
import { openStore } from '../store/open.ts';
import { startMqtt } from './face.ts';

interface Site {
  readonly client: MqttClient;
  readonly heard: Map<string, string[]>;
  readonly port: number;
  readonly add: (id: number) => Promise<unknown>;
}

async function site(): Promise<Site> {
  const data = mkdtempSync(join(tmpdir(), 'whorl-mqtt-'));
  const store = openStore({ data });
  const gateway = await startGateway({
    config: { name: 'hq', lines: [] },
    version: '0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const { operations, hub } = gateway;
  const config = { enabled: true, host: '127.0.0.1', port: 0 };
  const face = await startMqtt({ config, gateway: 'hq', data, operations, store, hub, log: silentLog });
  const password = readFileSync(join(data, 'mqtt.password'), 'utf8').trim();
  const client = await connectAsync(`mqtt://127.0.0.1:${face.port}`, {
    username: 'whorl',
    password,
    reconnectPeriod: 0,
  });
  const heard = new Map<string, string[]>();
  client.on('message', (topic, payload) => {
    heard.set(topic, [...(heard.get(topic) ?? []), payload.toString()]);
  });
  await client.subscribeAsync('whorl/hq/#', { qos: 1 });
  onTestFinished(async () => {
    await client.endAsync(true);
    await face.stop();
    await gateway.stop();
    await store.close();
    rmSync(data, { recursive: true, force: true });
  });
  return {
    client,
    heard,
    port: face.port,
    add: (id) => operations.addUser(id, { set: { name: 'Ada' }, clear: [] }),
  };
}

test('G5 B6 events come over MQTT with their origin, and the state is retained', async () => {
  const { heard, add } = await site();
  await add(7);
  await vi.waitFor(() => {
    expect(heard.get('whorl/hq/events/user/added')?.map((text) => JSON.parse(text) as unknown)).toMatchObject(
      [{ user: 7, origin: 'gateway' }],
    );
  });
  expect(heard.get('whorl/hq/state')).toEqual(['{"state":"online"}']);
});

test('G5 a command is answered; twice the same is done once', async () => {
  const { client, heard } = await site();
  const command = JSON.stringify({ id: 'a1', changes: { autoSync: 'off' } });
  await client.publishAsync('whorl/hq/commands/settings.set', command, { qos: 1 });
  await client.publishAsync('whorl/hq/commands/settings.set', command, { qos: 1 });
  await vi.waitFor(() => {
    expect(heard.get('whorl/hq/answers/a1')).toHaveLength(2);
  });
  expect(JSON.parse(heard.get('whorl/hq/answers/a1')?.[0] ?? '')).toMatchObject({
    ok: true,
    result: { autoSync: 'off' },
  });
  expect(heard.get('whorl/hq/events/settings/changed')).toHaveLength(1);
});

test.each([
  ['not JSON', 'status', '{'],
  ['no id', 'status', '{}'],
])('nonsense (%s) is told on the topic for errors', async (_, name, payload) => {
  const { client, heard } = await site();
  await client.publishAsync(`whorl/hq/commands/${name}`, payload, { qos: 1 });
  await vi.waitFor(() => {
    expect(JSON.parse(heard.get('whorl/hq/errors')?.[0] ?? '{}')).toMatchObject({ code: 'MQTT_COMMAND' });
  });
});

test.each([
  ['an unknown command', 'statsu', { id: 'x' }],
  ['an unknown key', 'status', { id: 'x', more: 1 }],
  ['a wrong type', 'users.pull', { id: 'x', user: 'seven', terminal: 'door' }],
])('%s is answered with a code, and changes nothing', async (_, name, body) => {
  const { client, heard } = await site();
  await client.publishAsync(`whorl/hq/commands/${name}`, JSON.stringify(body), { qos: 1 });
  await vi.waitFor(() => {
    expect(JSON.parse(heard.get('whorl/hq/answers/x')?.[0] ?? '{}')).toMatchObject({
      ok: false,
      error: { code: 'MQTT_COMMAND' },
    });
  });
});

test('nobody gets in with a wrong password, and garbage on the socket stops nobody', async () => {
  const { client, heard, port, add } = await site();
  await expect(
    connectAsync(`mqtt://127.0.0.1:${port}`, { username: 'whorl', password: 'wrong', reconnectPeriod: 0 }),
  ).rejects.toThrow();
  const garbage = connectSocket(port, '127.0.0.1');
  garbage.on('error', () => undefined);
  await new Promise((resolve) => garbage.once('connect', resolve));
  garbage.write(seededRandom(3).bytes(5000));
  onTestFinished(() => {
    garbage.destroy();
  });
  await add(8);
  await vi.waitFor(() => {
    expect(heard.get('whorl/hq/events/user/added')).toHaveLength(1);
  });
  expect(client.connected).toBe(true);
});
