import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  captureHead,
  decodeRun,
  groupSession,
  keyLine,
  KeyRing,
  packetBlock,
  readCapture,
  readKeys,
  seededRandom,
  sealedSession,
  toWire,
} from '@whorl/protocol';
import type { Crossed, Decoded, LoggedKeys } from '@whorl/protocol';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { TestContext } from 'vitest';
import { recordedSite } from '../rig/recorded.ts';
import type { Recorded } from '../rig/recorded.ts';

const DISSECTOR = fileURLToPath(new URL('../../../protocol/whorl.lua', import.meta.url));
const VECTORS = fileURLToPath(new URL('../../../protocol/test-vectors.json', import.meta.url));
const MOST_OUTPUT = 64 << 20;
const hasTshark = spawnSync('tshark', ['--version']).status === 0;

/** A system without Wireshark has nothing to try a dissector with. */
function needsTshark(context: TestContext): void {
  if (!hasTshark) context.skip('no tshark here: apt-get install tshark');
}

/** What tshark says of a capture; whatever goes wrong in the dissector it says too. */
function tshark(capture: string, keys: string | undefined, ...options: string[]): Promise<string> {
  const given = keys === undefined ? [] : ['-o', `whorl.key_file:${keys}`];
  const words = ['-X', `lua_script:${DISSECTOR}`, ...given, '-r', capture, ...options];
  return new Promise((resolve, reject) => {
    execFile('tshark', words, { maxBuffer: MOST_OUTPUT }, (error, out, err) => {
      const wrong = /lua.*(error|traceback)|Lua Error/i.exec(out + err);
      if (error === null && wrong === null) resolve(out);
      else reject(new Error(`${wrong?.[0] ?? ''}\n${err}`, { cause: error }));
    });
  });
}

const COLUMNS = ['kind', 'message', 'opened', 'counter', 'address', 'sequence', 'damaged', 'malformed'];

/** What tshark says of each packet, in words that can be compared. */
async function dissected(capture: string, keys?: string): Promise<string[]> {
  const fields = COLUMNS.flatMap((name) => ['-e', `whorl.${name}`]);
  const out = await tshark(capture, keys, '-T', 'fields', '-E', 'separator=|', ...fields);
  return out
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [kind, message, opened, counter, address, sequence, damaged, malformed] = line.split('|');
      if (damaged !== '' || malformed !== '') return 'damaged';
      if (kind !== '') return `${kind ?? ''} of ${address ?? ''}`;
      if (address === '') return 'nothing';
      const what =
        message === '' ? 'sealed' : `${message ?? ''}${opened === '1' ? ` opened ${counter ?? ''}` : ''}`;
      return `${what} of ${address ?? ''} #${sequence ?? ''}`;
    });
}

/** The same of what our own decoder says. */
function decoded(capture: string, keys: readonly LoggedKeys[]): string[] {
  const ring = new KeyRing(keys);
  return [...readCapture(new Uint8Array(readFileSync(capture)))].map(({ bytes }) =>
    inWords(decodeRun(bytes, ring)),
  );
}

function inWords(one: Decoded): string {
  switch (one.kind) {
    case 'invitation':
      return 'invitation of 0';
    case 'hand':
    case 'here':
      return `${one.kind} of ${one.address}`;
    case 'damaged':
    case 'nothing':
      return one.kind;
    case 'sealed':
      return `sealed of ${one.header.address} #${one.header.sequence}`;
    case 'plain':
      return `${one.message.name} of ${one.header.address} #${one.header.sequence}`;
    case 'opened':
      return `${one.message.name} opened ${one.counter} of ${one.header.address} #${one.header.sequence}`;
  }
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'whorl-dissector-'));
  onTestFinished(() => {
    rmSync(path, { recursive: true });
  });
  return path;
}

function captureOf(path: string, runs: readonly Uint8Array[]): void {
  const packets = runs.map((bytes, i): Crossed => ({ timeUs: 1000 * i, direction: undefined, bytes }));
  writeFileSync(
    path,
    Buffer.concat([captureHead([{ name: 'floor' }]), ...packets.map((one) => packetBlock(0, one))]),
  );
}

describe('the Wireshark dissector', { timeout: 60_000 }, () => {
  let site: Recorded | undefined;
  beforeAll(async () => {
    site = hasTshark ? await recordedSite() : undefined;
  }, 60_000);
  afterAll(() => {
    site?.remove();
  });
  const recorded = (context: TestContext): Recorded => {
    needsTshark(context);
    if (site === undefined) throw new Error('nothing was recorded');
    return site;
  };

  test('G7 without keys says of a site what our own decoder says: who is there, handshakes, and what is sealed', async (context) => {
    const { capture } = recorded(context);
    const said = await dissected(capture);
    expect(said).toEqual(decoded(capture, []));
    expect(said.filter((one) => one.startsWith('sealed')).length).toBeGreaterThan(50);
    expect(said.join()).not.toMatch(/welcome|logs|chunk|group|pair\.key/);
  });

  test('with keys it names every message', async (context) => {
    const { capture, keys } = recorded(context);
    const said = await dissected(capture, keys);
    expect(said).toEqual(decoded(capture, readKeys(readFileSync(keys, 'utf8'))));
    expect(said.join()).toMatch(/welcome opened.*transfer\.announce opened.*transfer\.committed opened/);
    expect(said.join()).not.toContain('sealed');
  });

  test('G7 with keys it shows neither templates nor keys, not even as bytes', async (context) => {
    const { capture, keys, template } = recorded(context);
    const [shown, bytes] = await Promise.all([
      tshark(capture, keys, '-V'),
      tshark(capture, keys, '-x', '-Y', 'whorl.message == "chunk" || whorl.message == "group.set"'),
    ]);
    expect(shown).toMatch(/data: <secret, \d+ bytes>/);
    expect(shown).toMatch(/serial: WX-terminal-1/);
    expect(bytes).toContain('Opened, secrets blanked');
    const dump = [...bytes.matchAll(/^[0-9a-f]{4} {2}((?:[0-9a-f]{2} )+)/gm)].map(([, row]) => row).join('');
    const trace = Buffer.from(template.subarray(0, 6)).toString('hex').replaceAll(/../g, '$& ');
    expect(dump.length).toBeGreaterThan(1000);
    expect(dump).not.toContain(trace);
    const [key = ''] = /[0-9a-f]{64}/.exec(readFileSync(keys, 'utf8')) ?? [];
    expect(key).not.toBe('');
    expect(shown + bytes).not.toContain(key.slice(0, 12));
  });

  test('it reads every message of the test vectors, with typed fields that filters know', async (context) => {
    needsTshark(context);
    const capture = join(folder(), 'vectors.pcapng');
    const { frames } = JSON.parse(readFileSync(VECTORS, 'utf8')) as {
      frames: { name: string; wire: string }[];
    };
    captureOf(
      capture,
      frames.map(({ wire }) => Uint8Array.from(Buffer.from(wire, 'hex'))),
    );
    expect(await dissected(capture)).toEqual(decoded(capture, []));
    const filtered = (filter: string): Promise<string> =>
      tshark(capture, undefined, '-Y', filter, '-T', 'fields', '-e', 'whorl.message');
    const ask = frames.find(({ name }) => name === 'transfer.ask');
    expect(ask).toBeDefined();
    expect(await filtered('whorl.transfer.ask.transfer == 5 && whorl.address == 7')).toBe('transfer.ask\n');
    expect(await filtered('whorl.welcome.capabilities.mtu > 255 && whorl.from_terminal')).toBe('welcome\n');
    expect(await filtered('whorl.clock.set.clock > "2020-01-01 00:00:00"')).toBe('clock.set\n');
  });

  test('it finds keys long after a session began, and tells what is damaged', async (context) => {
    needsTshark(context);
    const path = folder();
    const [capture, file] = [join(path, 'late.pcapng'), join(path, 'late.keys')];
    const random = seededRandom(5);
    const made = { forth: random.bytes(32), back: random.bytes(32), hash: random.bytes(32) };
    const gateway = sealedSession('gateway', made);
    const terminal = sealedSession('terminal', made);
    const broadcast = { key: random.bytes(32), next: 7 * 65_536 };
    const group = groupSession('gateway', broadcast);
    const keys: LoggedKeys[] = [
      { kind: 'session', line: 'floor', address: 7, forth: made.forth, back: made.back },
      { kind: 'session', line: 'floor', address: 7, forth: random.bytes(32), back: random.bytes(32) },
      { kind: 'group', line: 'floor', epoch: 7, key: broadcast.key },
    ];
    writeFileSync(file, `# for a test\n\n${keys.map(keyLine).join('')}`);
    const runs: Uint8Array[] = [];
    const header = { address: 7, fromTerminal: false, attention: false };
    for (let counter = 0; counter <= 3 * 65_536 + 40; counter += 1) {
      const sequence = gateway.nextSequence();
      if (counter % 65_536 > 0 && counter < 3 * 65_536) continue;
      const data = random.bytes(random.below(1000));
      const said = toWire(gateway, { ...header, sequence, invite: true }, 'chunk', {
        transfer: 1,
        index: counter & 0xffff,
        data,
      });
      if (counter < 3 * 65_536) continue;
      runs.push(said, toWire(terminal, { ...header, sequence, fromTerminal: true }, 'idle', {}));
      const heard = { ...header, address: 0, sequence: group.nextSequence() };
      runs.push(toWire(group, heard, 'roll.call', { number: 1, slot: 1, first: 1, members: [counter & 7] }));
    }
    const damaged = runs.slice(0, 60).map((run) => {
      const bytes = run.slice();
      bytes[random.below(bytes.length)] = random.below(256);
      return bytes;
    });
    const noise = Array.from({ length: 60 }, () => random.bytes(random.below(40)));
    captureOf(capture, [...runs, ...damaged, ...noise, Uint8Array.of(0), Uint8Array.of(1, 0)]);
    const said = await dissected(capture, file);
    expect(said).toEqual(decoded(capture, keys));
    expect(said[0]).toBe(`chunk opened ${3 * 65_536} of 7 #0`);
    expect(said[2]).toBe(`roll.call opened ${7 * 65_536} of 0 #0`);
    expect(said).toContain('damaged');
  });

  test('it says what is wrong with a key file, and never what is in it', async (context) => {
    const { capture, folder: path } = recorded(context);
    const file = join(path, 'wrong.keys');
    writeFileSync(file, 'group floor 0 5e5e5e\n');
    const [wrong, missing] = await Promise.all([
      tshark(capture, file, '-V', '-c', '20'),
      tshark(capture, join(path, 'none.keys'), '-V', '-c', '20'),
    ]);
    expect(wrong).toContain('the key file has something else in line 1');
    expect(wrong).not.toContain('5e5e5e');
    expect(missing).toContain('the key file cannot be read');
  });
});
