import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, sleep, systemClock } from '@whorl/protocol';
import { SerialPort } from 'serialport';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Medium } from './medium.ts';
import { hasPty, openPty } from './pty.ts';
import { ptyCable } from './pty-cable.ts';
import type { PtyPort } from './pty.ts';
import type { Station } from './station.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

const MIB = 1024 * 1024;
/** A byte takes a millisecond. */
const SLOW_BAUD = 9_600;
const REQUEST = Buffer.from([9, 0x40, 3, 7, 7, 7, 7, 7, 7, 7, 7, 0]);

/** Somebody on a wire who says this to whatever it is asked. */
function answering(address: number, answer: Uint8Array): Station {
  return {
    address,
    workMs: 0,
    hear: () => [answer],
    hearCall: () => undefined,
    hand: () => undefined,
    onSilent: () => undefined,
    onNews: () => undefined,
  };
}
const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** What arrived and was not taken yet, in order. */
class Inbox {
  #bytes = Buffer.alloc(0);
  #pieces: Uint8Array[] = [];
  #length = 0;
  #arrived: () => void = () => undefined;

  readonly put = (piece: Uint8Array): void => {
    this.#pieces.push(piece);
    this.#length += piece.length;
    this.#arrived();
  };

  get length(): number {
    return this.#length;
  }

  async take(length: number): Promise<Buffer> {
    while (this.#length < length) await new Promise<void>((resolve) => (this.#arrived = resolve));
    this.#bytes = Buffer.concat([this.#bytes, ...this.#pieces.splice(0)]);
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    this.#length -= length;
    return taken;
  }
}

async function openedPty(link?: string): Promise<{ pty: PtyPort; inbox: Inbox }> {
  const pty = await openPty({ link });
  cleanups.push(() => pty.close());
  const inbox = new Inbox();
  pty.onBytes(inbox.put);
  return { pty, inbox };
}

async function openedSerial(path: string): Promise<{ port: SerialPort; inbox: Inbox }> {
  const port = new SerialPort({ path, baudRate: 115_200, autoOpen: false });
  await new Promise<void>((resolve, reject) => {
    port.open((error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  cleanups.push(() => closedSerial(port));
  const inbox = new Inbox();
  port.on('data', inbox.put);
  return { port, inbox };
}

/**
 * Settles when the port has noticed that it was pulled. serialport reads on without end, and without a word, when it is
 * pulled within a read; its next write ends that, and a gateway always has a next write.
 */
async function pulled(port: SerialPort, pull: () => Promise<unknown>): Promise<void> {
  port.on('error', () => undefined);
  const closed = new Promise((resolve) => port.once('close', resolve));
  await pull();
  port.write('is anybody there?');
  await closed;
}

async function closedSerial(port: SerialPort): Promise<void> {
  if (!port.isOpen) return;
  const closed = once(port, 'close');
  port.close();
  await closed;
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'whorl-pty-'));
  cleanups.push(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

describe.skipIf(!hasPty())('a pseudo-terminal of this system', () => {
  test('E1 carries all byte values both ways, and neither changes nor echoes any', async () => {
    const { pty, inbox: atEmulator } = await openedPty();
    const { port, inbox: atGateway } = await openedSerial(pty.path);
    const values = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    for (let round = 0; round < 4; round += 1) {
      port.write(values);
      expect(await atEmulator.take(256)).toEqual(values);
      pty.write(values);
      expect(await atGateway.take(256)).toEqual(values);
    }
  });

  test('E1 answers 500 requests of 64 bytes, each with its own answer', async () => {
    const { pty, inbox: atEmulator } = await openedPty();
    const { port, inbox: atGateway } = await openedSerial(pty.path);
    const random = seededRandom(1);
    for (let i = 0; i < 500; i += 1) {
      const [request, answer] = [random.bytes(64), random.bytes(64)];
      port.write(Buffer.from(request));
      expect(await atEmulator.take(64)).toEqual(Buffer.from(request));
      pty.write(answer);
      expect(await atGateway.take(64)).toEqual(Buffer.from(answer));
    }
  });

  test('E1 carries a megabyte each way at once', async () => {
    const { pty, inbox: atEmulator } = await openedPty();
    const { port, inbox: atGateway } = await openedSerial(pty.path);
    const random = seededRandom(2);
    const [down, up] = [Buffer.from(random.bytes(MIB)), random.bytes(MIB)];
    port.write(down);
    pty.write(up);
    expect((await atGateway.take(MIB)).equals(up)).toBe(true);
    expect((await atEmulator.take(MIB)).equals(down)).toBe(true);
  });

  test('E1 loses nothing of a megabyte when the gateway is slow to read', async () => {
    const { pty, inbox: atEmulator } = await openedPty();
    const { port, inbox: atGateway } = await openedSerial(pty.path);
    port.pause();
    const up = seededRandom(3).bytes(MIB);
    for (let at = 0; at < MIB; at += 1000) {
      const piece = up.slice(at, at + 1000);
      pty.write(piece);
      piece.fill(0);
    }
    port.write('still here');
    expect((await atEmulator.take(10)).toString()).toBe('still here');
    port.resume();
    expect((await atGateway.take(MIB)).equals(up)).toBe(true);
  });

  test('E1 goes on when nobody reads, keeps the oldest bytes, and works again for whoever comes', async () => {
    const { pty, inbox: atEmulator } = await openedPty();
    const { port, inbox: atGateway } = await openedSerial(pty.path);
    port.pause();
    const [oldest, newest] = [new Uint8Array(MIB).fill(1), new Uint8Array(MIB).fill(2)];
    for (const piece of [oldest, oldest, newest, newest]) pty.write(piece);
    port.write('x');
    await atEmulator.take(1);
    port.resume();
    expect((await atGateway.take(2 * MIB)).every((byte) => byte === 1)).toBe(true);
    pty.write(new Uint8Array([3]));
    expect(await atGateway.take(1)).toEqual(Buffer.from([3]));
  });

  test('G2 goes on when the gateway closes its end and opens it again', async () => {
    const { pty, inbox: atEmulator } = await openedPty();
    for (let round = 0; round < 3; round += 1) {
      const { port, inbox: atGateway } = await openedSerial(pty.path);
      port.write(Buffer.from([round]));
      expect(await atEmulator.take(1)).toEqual(Buffer.from([round]));
      pty.write(new Uint8Array([round, 0xff]));
      expect(await atGateway.take(2)).toEqual(Buffer.from([round, 0xff]));
      await closedSerial(port);
    }
  });

  test('G2 closes the serial port when it is pulled, also with bytes on their way', async () => {
    const { pty } = await openedPty();
    const { port } = await openedSerial(pty.path);
    const reasons: string[] = [];
    pty.onClosed((reason) => reasons.push(reason));
    pty.write(new Uint8Array(MIB));
    await pulled(port, () => Promise.all([pty.close(), pty.close()]));
    pty.write(new Uint8Array([1]));
    expect(reasons).toEqual([]);
  });

  test('E2 G2 is pulled within a byte: its beginning is heard on both sides, and what is said after it is plugged in again as a whole', async () => {
    const link = join(folder(), 'line');
    const medium = new Medium({
      clock: systemClock,
      random: seededRandom(1),
      baud: SLOW_BAUD,
      turnaroundMs: 1,
    });
    const answer = Uint8Array.of(9, 0x40, 3, ...new Uint8Array(96).fill(7), 0);
    const crossed: { bytes: Uint8Array; fromGateway: boolean }[] = [];
    let asked = (): void => undefined;
    medium.tap((bytes, fromGateway) => {
      crossed.push({ bytes, fromGateway });
      asked();
    });
    medium.add(answering(3, answer));
    const line = ptyCable(medium, { link });
    await line.plug();
    cleanups.push(() => line.unplug());
    const { port, inbox } = await openedSerial(link);
    port.write(REQUEST);
    await new Promise<void>((resolve) => (asked = resolve));
    // The answer takes a tenth of a second, and is under way.
    await sleep(systemClock, 30.3);
    await pulled(port, () => line.unplug());
    expect(inbox.length).toBeLessThan(answer.length);
    const begun = await inbox.take(inbox.length);
    expect([...begun]).toEqual([...answer.subarray(0, begun.length)]);
    // The terminal goes on talking to nobody.
    await vi.waitFor(() => {
      expect(crossed.at(-1)?.bytes).toEqual(answer);
    }, PATIENCE);

    await line.plug();
    const { port: second } = await openedSerial(link);
    second.write(Buffer.alloc(200, 7));
    await sleep(systemClock, 20.3);
    await pulled(second, () => line.unplug());
    await vi.waitFor(() => {
      expect(crossed.at(-1)?.fromGateway).toBe(true);
    }, PATIENCE);
    expect(crossed.at(-1)?.bytes.length).toBeLessThan(200);

    await line.plug();
    const { port: third, inbox: atThird } = await openedSerial(link);
    // What broke off runs into the first request.
    third.write(REQUEST);
    third.write(REQUEST);
    expect([...(await atThird.take(answer.length))]).toEqual([...answer]);
  });

  test('G2 is pulled also from under a program that was started meanwhile', async () => {
    const { pty } = await openedPty();
    const { port } = await openedSerial(pty.path);
    const child = spawn(process.execPath, ['-e', 'console.log("up"); process.stdin.resume()']);
    cleanups.push(async () => {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    });
    await once(child.stdout, 'data');
    await pulled(port, () => pty.close());
  });

  test('G2 is found under the same link after it was pulled and plugged again', async () => {
    const link = join(folder(), 'data', 'line-1');
    const { pty: first } = await openedPty(link);
    expect(first.path).toBe(link);
    await first.close();
    expect(existsSync(link)).toBe(false);
    const { pty: second, inbox: atEmulator } = await openedPty(link);
    const { port } = await openedSerial(second.path);
    port.write('x');
    expect((await atEmulator.take(1)).toString()).toBe('x');
  });

  test('G2 takes over the link of one that ended without closing, which then leaves it alone', async () => {
    const link = join(folder(), 'line-1');
    const { pty: first } = await openedPty(link);
    const before = readlinkSync(link);
    await openedPty(link);
    const after = readlinkSync(link);
    expect(after).not.toBe(before);
    await first.close();
    expect(readlinkSync(link)).toBe(after);
  });

  test('never puts its link in place of a file', async () => {
    const link = join(folder(), 'line-1');
    writeFileSync(link, 'kept');
    await expect(openPty({ link })).rejects.toMatchObject({ code: 'PTY_LINK' });
    expect(readFileSync(link, 'utf8')).toBe('kept');
  });

  test.skipIf(!existsSync('/proc/self'))(
    'comes back from a folder that the system has, and says that it has not',
    async () => {
      const link = '/proc/whorl/line-1';
      await expect(openPty({ link })).rejects.toThrow(/^\/proc\/whorl\/line-1: ENOENT/);
      await expect(openPty({ link })).rejects.toMatchObject({ code: 'PTY_LINK' });
    },
  );

  test('says so when the foreign-function library does not load', async () => {
    vi.resetModules();
    vi.doMock('koffi', () => {
      throw new Error('no binary for this machine');
    });
    cleanups.push(() => vi.doUnmock('koffi'));
    const fresh = await import('./pty.ts');
    await expect(fresh.openPty()).rejects.toMatchObject({
      code: 'PTY_NONE',
      message: expect.stringContaining('koffi') as unknown,
    });
  });
});

test('a system without pseudo-terminals is told to take a tcp line', async () => {
  vi.stubGlobal('process', { platform: 'win32' });
  cleanups.push(() => vi.unstubAllGlobals());
  expect(hasPty()).toBe(false);
  await expect(openPty()).rejects.toMatchObject({
    code: 'PTY_NONE',
    remedy: expect.stringContaining('tcp line') as unknown,
  });
});
