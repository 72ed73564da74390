import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@whorl/protocol';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startGateway } from '../gateway.ts';
import { silentLog } from '../settings/log.ts';
import { openStore } from '../store/open.ts';
import { Audit } from '../access/audit.ts';
import { startMqtt } from './face.ts';
import { connectProgram, scratch } from './testing/bench.ts';
import type { Program } from './testing/bench.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

interface Site {
  readonly program: Program;
  readonly add: (id: number) => Promise<unknown>;
}

/** A whole gateway with its database, and a program at its broker. */
async function site(): Promise<Site> {
  const dataDir = scratch();
  const store = openStore({ data: dataDir });
  const gateway = await startGateway({
    config: { name: 'hq', lines: [] },
    version: '0',
    store,
    clock: systemClock,
    random: seededRandom(1),
    log: silentLog,
  });
  const { operations, tasks, hub } = gateway;
  const config = { enabled: true, host: '127.0.0.1', port: 0 };
  const parts = {
    config,
    gateway: 'hq',
    dataDir,
    operations,
    tasks,
    store,
    hub,
    clock: systemClock,
    log: silentLog,
    audit: new Audit(store.audit, systemClock, () => undefined),
  };
  const face = await startMqtt(parts);
  onTestFinished(async () => {
    await face.stop();
    await gateway.stop();
    await store.close();
  });
  const password = readFileSync(join(dataDir, 'mqtt.password'), 'utf8').trim();
  const program = await connectProgram(face.brokerUrl ?? '', { username: 'whorl', password });
  await program.client.subscribeAsync('whorl/hq/#', { qos: 1 });
  return { program, add: (id) => operations.addUser(id, { set: { name: 'Ada', pin: SECRET }, clear: [] }) };
}

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => 0xa0 + i);

test('G5 B6 events come over MQTT with their origin, and the state is retained', async () => {
  const { program, add } = await site();
  await add(7);
  await vi.waitFor(() => {
    expect(program.under('events/user/added')).toMatchObject([{ user: 7, origin: 'gateway' }]);
  }, PATIENCE);
  expect(program.under('state')).toEqual([{ state: 'online' }]);
});

test('G5 a command changes the gateway; twice the same is done once', async () => {
  const { program } = await site();
  const command = { id: 'a1', changes: { autoSync: 'off' } };
  const first = await program.ask('settings.set', command);
  expect(first).toMatchObject({ ok: true, result: { autoSync: 'off' } });
  expect(await program.ask('settings.set', command)).toEqual(first);
  expect(program.under('events/settings/changed')).toHaveLength(1);
});

test('G7 neither a name nor a PIN verifier is ever said', async () => {
  const { program, add } = await site();
  await add(9);
  await program.ask('status', { id: 's' });
  await program.ask('events.list', { id: 'e', after: 0 });
  await vi.waitFor(() => {
    expect(program.under('events/user/added')).toHaveLength(1);
  }, PATIENCE);
  const heard = JSON.stringify(program.heard);
  expect(heard).not.toContain('Ada');
  for (const form of ['hex', 'base64'] as const)
    expect(heard).not.toContain(Buffer.from(SECRET).toString(form).slice(0, 16));
});
