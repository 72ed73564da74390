import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock } from '@whorl/protocol';
import { afterEach, describe, expect, test } from 'vitest';
import { hasPty } from '../bus/pty.ts';
import { startFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { hold } from './hold.ts';
import { fleetSchema } from './schema.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'whorl-hold-'));
  ends.push(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

const TAKEN = { code: 'EMULATOR_TAKEN' };

describe.runIf(process.platform !== 'darwin')('what one emulator has', () => {
  const started = async (data: string, line: object): Promise<Fleet> => {
    const lines = [{ name: 'floor', baud: 115_200, terminals: [{ name: 'door', users: 3 }], ...line }];
    const fleet = await startFleet(fleetSchema.parse({ data, lines }), systemClock);
    ends.push(() => fleet.stop());
    return fleet;
  };

  test('E3 the flash of terminals that are at work is not touched by a second emulator', async () => {
    const data = folder();
    const first = await started(data, { listen: { port: 0 } });
    const before = readFileSync(join(data, 'door.flash'));
    await expect(started(data, { listen: { port: 0 } })).rejects.toMatchObject({ ...TAKEN, message: data });
    expect(readFileSync(join(data, 'door.flash'))).toEqual(before);
    await first.stop();
    const again = await started(data, { listen: { port: 0 } });
    expect(again.terminal('door').terminal.boots).toBe(2);
  });

  test.runIf(hasPty())(
    'E1 a second emulator does not take the serial port of one that is at work',
    async () => {
      const link = join(folder(), 'floor.line');
      await started(folder(), { pty: { link } });
      const before = readlinkSync(link);
      await expect(started(folder(), { pty: { link } })).rejects.toMatchObject(TAKEN);
      expect(readlinkSync(link)).toBe(before);
    },
  );

  test('E3 what an emulator had that was killed is free', async () => {
    const path = join(folder(), 'floor.line');
    const code = `import { hold } from ${JSON.stringify(join(import.meta.dirname, 'hold.ts'))};
await hold([${JSON.stringify(path)}]); console.log('held'); setInterval(() => undefined, 1e6);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(hold([path])).rejects.toMatchObject(TAKEN);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    (await hold([path, path]))();
  });
});
