import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { fleetSchema, hasPty, openPty, startFleet } from '@whorl/device-emulator';
import { loadConfig, silentLog, startService } from '@whorl/gateway';
import { decodeRun, handWire, INVITATION_WIRE, readCapture, systemClock } from '@whorl/protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { recordedSite } from '../rig/recorded.ts';
import type { Recorded } from '../rig/recorded.ts';

const WHORL = fileURLToPath(import.meta.resolve('@whorl/gateway/cli/main'));
const EMULATOR = fileURLToPath(import.meta.resolve('@whorl/device-emulator/control/cli'));
const MOST_OUTPUT = 64 << 20;

interface Ended {
  readonly exit: number;
  readonly out: string;
  readonly err: string;
}

function whorl(words: readonly string[], input?: Uint8Array): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [WHORL, ...words],
      { maxBuffer: MOST_OUTPUT },
      (error, out, err) => {
        resolve({ exit: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err });
      },
    );
    child.stdin?.end(input);
  });
}

let site: Recorded;
beforeAll(async () => {
  site = await recordedSite();
}, 60_000);
afterAll(() => {
  site.remove();
});

/** Names of messages and what else there is, as `whorl decode` tells them to programs. */
function told(out: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of out.trimEnd().split('\n')) {
    const packet = JSON.parse(line) as { kind: string; message?: string };
    const what = packet.message === undefined ? packet.kind : `${packet.kind} ${packet.message}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

describe('whorl decode', { timeout: 30_000 }, () => {
  test('G7 without keys shows who is there and handshakes, and of all else that it is sealed', async () => {
    const { exit, out } = await whorl(['--json', 'decode', site.capture]);
    expect(exit).toBe(0);
    const counts = told(out);
    expect([...counts.keys()].sort()).toEqual([
      'hand',
      'here',
      'invitation',
      'plain discover',
      'plain pair.accept',
      'plain pair.begin',
      'plain pair.open',
      'plain pair.share',
      'plain present',
      'plain session.accept',
      'plain session.open',
      'sealed',
    ]);
  });

  test('G7 with keys shows everything but secrets', async () => {
    const { exit, out } = await whorl(['--json', 'decode', site.capture, '--keys', site.keys]);
    expect(exit).toBe(0);
    const counts = told(out);
    expect(counts.get('sealed')).toBeUndefined();
    for (const name of ['hello', 'welcome', 'group.set', 'pair.key', 'roll.call', 'logs.page', 'user.pull'])
      expect(counts.get(`opened ${name}`)).toBeGreaterThan(0);
    for (const name of ['transfer.announce', 'chunk', 'transfer.commit', 'transfer.committed'])
      expect(counts.get(`opened ${name}`)).toBeGreaterThan(0);
    expect(out).not.toContain(Buffer.from(site.template.subarray(0, 4)).toString('hex'));
    expect(out).toMatch(/"data":"<secret, \d+ bytes>"/);
  });

  test('for people: a packet a line with time, line, direction; a sum; a cut file up to where it was cut', async () => {
    const path = join(site.folder, 'cut.pcapng');
    writeFileSync(path, readFileSync(site.capture));
    truncateSync(path, statSync(path).size - 5);
    const { exit, out, err } = await whorl(['decode', path, '--keys', site.keys, '--no-idle']);
    expect(exit).toBe(1);
    expect(err).toMatch(/^CAPTURE_DAMAGED: at byte \d+: the file ends inside a block/);
    const lines = out.split('\n');
    expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{6} {2}(floor|lab|gate) +→ \d {5,}#\d+ +discover$/);
    expect(lines.find((line) => line.includes('welcome'))).toMatch(/← \d {5}\*!? *#\d+ +welcome serial="WX-/);
    expect(lines.some((line) => line.endsWith('invitation'))).toBe(false);
    expect(out.trimEnd()).toMatch(/\n\n\d+ in all: .*\d+ opened.*\d+ invitation/);
  });

  test('raw bytes come in hex, in a file, or on standard input', async () => {
    const bytes = Buffer.concat([INVITATION_WIRE, handWire(3)]);
    const path = join(site.folder, 'raw.bin');
    writeFileSync(path, bytes);
    const answers = await Promise.all([
      whorl(['--json', 'decode', ...bytes.toString('hex').replaceAll(/../g, '$&,').split(',')]),
      whorl(['--json', 'decode', path]),
      whorl(['--json', 'decode', '-'], bytes),
      whorl(['--json', 'decode', '-'], Buffer.from(`${bytes.toString('hex')}\n`)),
    ]);
    for (const { exit, out } of answers) {
      expect(exit).toBe(0);
      expect([...told(out).keys()]).toEqual(['invitation', 'hand']);
    }
  });

  test('G7 keys that others may read, or that are none, are refused without a word of them', async () => {
    const key = '5e'.repeat(32);
    const path = join(site.folder, 'other.keys');
    writeFileSync(path, `group floor ${key}x\n`, { mode: 0o600 });
    const wrong = await whorl(['decode', '00', '--keys', path]);
    expect(wrong).toMatchObject({ exit: 2, err: expect.stringContaining('other.keys, line 1') as string });
    expect(wrong.err).not.toContain('5e5e');
    expect((await whorl(['decode', '00', '--keys', join(site.folder, 'none')])).err).toMatch(/^FILE_READ/);
    if (process.platform === 'win32') return;
    chmodSync(path, 0o640);
    expect((await whorl(['decode', '00', '--keys', path])).err).toMatch(/^KEYS_OPEN/);
  });
});

/** Starts a command; answers when it has said `word`. */
function saying(words: readonly string[], word: string): Promise<{ child: ChildProcess; out: () => string }> {
  const child = spawn(process.execPath, words);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let out = '';
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => {
        out += bytes.toString();
        if (out.includes(word)) resolve({ child, out: () => out });
      });
    child.once('exit', () => {
      reject(new Error(out));
    });
  });
}

function ended(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('exit', resolve));
}

test(
  'whorl sniff decodes live and records; Ctrl-C ends it, and the file is sound',
  { timeout: 30_000 },
  async (context) => {
    if (!hasPty()) context.skip('no pseudo-terminals on this system');
    const folder = mkdtempSync(join(tmpdir(), 'whorl-sniff-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true });
    });
    const adapter = await openPty();
    onTestFinished(() => adapter.close());
    const heard: Uint8Array[] = [];
    adapter.onBytes((bytes) => heard.push(bytes));
    const file = join(folder, 'line.pcapng');
    const words = [WHORL, 'sniff', adapter.path, '--write', file, '--keys', site.keys];
    const { child, out } = await saying(words, 'Listening');
    const packets = [...readCapture(new Uint8Array(readFileSync(site.capture)))]
      .filter(({ line }) => line.name === 'floor')
      .slice(0, 60);
    const all = expect.poll(out, { timeout: 15_000 });
    for (const { bytes } of packets) adapter.write(bytes);
    adapter.write(Uint8Array.of(7, 7, 0, 5));
    await all.toContain('damaged, 3 bytes');
    const over = ended(child);
    child.kill('SIGINT');
    expect(await over).toBe(0);
    expect(out()).toMatch(/opened/);
    const written = [...readCapture(new Uint8Array(readFileSync(file)))];
    expect(written.map(({ bytes }) => bytes)).toEqual([
      ...packets.map(({ bytes }) => bytes),
      Uint8Array.of(7, 7, 0),
      Uint8Array.of(5),
    ]);
    expect(written.slice(0, -2).map(({ direction }) => direction)).toEqual(
      packets.map(({ direction }) => direction),
    );
    expect(written[0]?.line).toEqual({ name: adapter.path, baud: 115_200 });
    expect(heard).toEqual([]);
  },
);

test(
  'whorl sniff of a line hears it inside the running gateway, and records it',
  { timeout: 60_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'whorl-sniff-'));
    onTestFinished(() => {
      rmSync(folder, { recursive: true, force: true });
    });
    const lab = { name: 'lab', listen: { port: 0 }, terminals: [{ name: 't1', serial: 'WX-1' }] };
    const fleet = await startFleet(fleetSchema.parse({ lines: [lab] }), systemClock);
    onTestFinished(() => fleet.stop());
    const port = /\d+$/.exec(fleet.line('lab').cable.place)?.[0] ?? '';
    const config = join(folder, 'whorl.yaml');
    const lines = `[{ name: lab, tcp: { host: 127.0.0.1, port: ${port} }, terminals: [{ name: t1 }] }]`;
    writeFileSync(config, `gateway: { name: hq }\ndata: ./data\nhttp: { enabled: false }\nlines: ${lines}\n`);
    const service = await startService(loadConfig(config), silentLog);
    onTestFinished(() => service.stop());

    const file = join(folder, 'lab.pcapng');
    const at = ['--config', config, '--json'];
    const { child, out } = await saying([WHORL, ...at, 'sniff', 'lab', '--write', file], '"present"');
    const wrong = await whorl(['--config', config, 'sniff', 'lap']);
    expect(wrong).toMatchObject({
      exit: 4,
      err: expect.stringMatching(/^LINE_UNKNOWN.*mean lab\?/) as string,
    });
    const { terminal } = fleet.terminal('t1');
    await service.gateway.operations.pair('t1', { code: terminal.pair(), replace: false });
    await expect.poll(out, { timeout: 15_000 }).toContain('"sealed"');
    const over = ended(child);
    child.kill('SIGTERM');
    expect(await over).toBe(0);
    const packets = [...readCapture(new Uint8Array(readFileSync(file)))];
    expect(packets.map(({ line }) => line.name)).toContain('lab');
    expect(new Set(packets.map(({ direction }) => direction))).toEqual(
      new Set(['to-terminal', 'to-gateway']),
    );
    const names = packets
      .map(({ bytes }) => decodeRun(bytes))
      .map((one) => ('message' in one ? one.message.name : one.kind));
    expect(names).toEqual(
      expect.arrayContaining(['discover', 'present', 'pair.begin', 'pair.share', 'sealed']),
    );
    expect(names).not.toContain('damaged');
  },
);

test('whorl sniff says why it cannot listen', { timeout: 30_000 }, async () => {
  const { exit, err } = await whorl(['sniff', join(site.folder, 'nothing')]);
  expect(exit).toBe(1);
  expect(err).toMatch(/^SNIFF_PORT: .*nothing is not there: is the adapter plugged in\?/);
});

test('the emulator records to files that are sound when it ends', { timeout: 30_000 }, async () => {
  const [fleet, capture, keys] = ['fleet.yaml', 'fleet.pcapng', 'fleet.keys'].map((name) =>
    join(site.folder, name),
  );
  writeFileSync(
    fleet ?? '',
    'lines: [{ name: lab, listen: { port: 0 }, baud: 19200, terminals: [{ name: t1 }] }]\n',
  );
  const files = ['--capture', capture ?? '', '--key-log', keys ?? ''];
  const words = [EMULATOR, 'start', '--config', fleet ?? '', '--control-port', '0', ...files];
  const { child, out } = await saying(words, 'whorl-emulator do');
  expect(out()).toContain('whoever has it reads what crosses these lines');
  const over = ended(child);
  child.kill('SIGINT');
  expect(await over).toBe(0);
  expect(await whorl(['decode', capture ?? '', '--keys', keys ?? ''])).toEqual({
    exit: 0,
    out: 'Nothing crossed.\n',
    err: '',
  });
});
