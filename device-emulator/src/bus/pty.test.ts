import { mkdtempSync, readlinkSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SerialPort } from 'serialport';
import { expect, test } from 'vitest';
import { openPty } from './pty.ts';

async function opened(path: string): Promise<SerialPort> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  return port;
}

function collect(length: number, subscribe: (take: (bytes: Uint8Array) => void) => void): Promise<Buffer> {
  return new Promise((resolve) => {
    let all = Buffer.alloc(0);
    subscribe((bytes) => {
      all = Buffer.concat([all, bytes]);
      if (all.length >= length) resolve(all);
    });
  });
}

test('E1 all byte values cross a pseudo-terminal unchanged, both ways', async () => {
  const pty = await openPty();
  const port = await opened(pty.path);
  const values = Buffer.from(Array.from({ length: 1024 }, (_, i) => i & 0xff));
  const atEmulator = collect(values.length, (take) => {
    pty.onBytes(take);
  });
  port.write(values);
  expect(await atEmulator).toEqual(values);
  const atGateway = collect(values.length, (take) => port.on('data', take));
  pty.write(values);
  expect(await atGateway).toEqual(values);
  port.close();
  await pty.close();
});

test('E1 a pulled pseudo-terminal closes the serial port, and its link comes back with the next', async () => {
  const link = join(mkdtempSync(join(tmpdir(), 'whorl-pty-')), 'line-1');
  const first = await openPty({ link });
  const port = await opened(link);
  const heard = collect(1, (take) => port.on('data', take));
  first.write(new Uint8Array([1]));
  await heard;
  const closed = new Promise((resolve) => port.once('close', resolve));
  const before = readlinkSync(link);
  await first.close();
  await closed;
  expect(existsSync(link)).toBe(false);
  const second = await openPty({ link });
  expect(readlinkSync(link)).toMatch(/\/dev\//);
  expect(before).toMatch(/\/dev\//);
  await second.close();
});
