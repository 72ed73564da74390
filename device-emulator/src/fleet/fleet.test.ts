import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  codeOf,
  decodeMessage,
  FrameSplitter,
  fromWire,
  plainSession,
  systemClock,
  toWire,
  VirtualClock,
} from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { SerialPort } from 'serialport';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hasPty } from '../bus/pty.ts';
import { parseFleet, readFleet } from './config.ts';
import { startFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { fleetSchema } from './schema.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

const EXAMPLE = join(import.meta.dirname, '../../fleet.example.yaml');

const fleets: Fleet[] = [];
afterEach(async () => {
  for (const fleet of fleets.splice(0)) await fleet.stop();
});

function problem(text: string): string {
  try {
    parseFleet('fleet.yaml', text);
  } catch (error) {
    return `${codeOf(error) ?? ''} ${error instanceof Error ? error.message : ''}`;
  }
  return 'none';
}

const one = (more: string, line = ''): string => `lines:
  - name: lab
    listen: { port: 0 }
${line}    terminals:
      - name: t1
${more}`;

const planned = (fault: string): string => `${one('')}faults:
  - ${fault}
`;

test('E4 E5 faults of a fleet file come by themselves, again and again, the same from the same seed', async () => {
  const run = async (): Promise<string[]> => {
    const clock = new VirtualClock();
    const fleet = await startFleet(
      parseFleet(
        'fleet.yaml',
        planned('{ fault: corrupt, on: lab, with: { rate: 0.5 }, at: 1s, for: 2s, every: 10s }'),
      ),
      clock,
    );
    fleets.push(fleet);
    const seen: string[] = [];
    for (let second = 0; second < 25; second += 1) {
      await clock.run({ forMs: 1_000 });
      seen.push(fleet.faults.active.map(({ fault, on }) => `${second + 1} ${fault} ${on}`).join());
    }
    return seen.filter((one) => one !== '');
  };
  const first = await run();
  expect(first).toEqual([1, 2, 11, 12, 21, 22].map((second) => `${second} corrupt lab`));
  expect(await run()).toEqual(first);
});

describe('E5 the fleet file', () => {
  test('E5 the example is sound: a serial line of four terminals, and two on TCP', () => {
    const fleet = readFleet(EXAMPLE);
    expect(fleet.lines.map((line) => line.terminals.length)).toEqual([4, 1, 1]);
    expect(fleet.lines.map((line) => [line.pty, line.listen, line.dial].findIndex(Boolean))).toEqual([
      0, 1, 2,
    ]);
    expect(fleet.lines[0]?.pty?.link).toBe(join(EXAMPLE, '..', 'floor.line'));
  });

  test.each([
    [
      'an unknown key',
      one('        adress: 5\n'),
      'fleet.yaml:6 lines.0.terminals.0.adress: unknown key; did you mean address?',
    ],
    ['an unknown key below a choice', one('        users: { cout: 5, count: 1 }\n'), 'did you mean count?'],
    ['an unknown capability', one('        capabilities: { finger: 2 }\n'), 'did you mean fingers?'],
    ['a key nobody could have meant', one('        favourite: blue\n'), 'there are name, address, serial'],
    ['an unknown model', one('        model: iris-5\n'), 'finger-10k'],
    ['a value out of range', one('        address: 248\n'), 'fleet.yaml:6 lines.0.terminals.0.address'],
    [
      'an address twice',
      one('      - name: t2\n        address: 1\n', '    baud: 9600\n'),
      'address 1 on lab is already that of lines.0.terminals.0.address',
    ],
    [
      'a name twice',
      one('      - name: lab\n        address: 2\n', '    baud: 9600\n'),
      'the name lab is already that of lines.0.name',
    ],
    ['a line with two ways', one('', '    dial: { port: 5 }\n'), 'just one of pty, listen and dial'],
    ['a wire without a baud rate', one('      - name: t2\n        address: 2\n'), 'give the line a baud'],
    ['no lines', 'seed: 1\n', 'lines'],
    ['a fault of nobody', planned('{ fault: noise, on: attic }'), 'faults.0.on: no line or terminal'],
    ['an unknown fault', planned('{ fault: noize, on: lab }'), 'did you mean'],
    ['a fault’s unknown option', planned('{ fault: late, on: t1, with: { ms: 4 } }'), 'ms: unknown option'],
    ['a fault that needs a wire', planned('{ fault: noise, on: lab }'), 'noise needs a wire'],
    ['a time that is none', planned('{ fault: late, on: t1, for: soon }'), '10s'],
    ['a fault too often', planned('{ fault: late, on: t1, every: 1ms }'), 'faults.0.every: at least 10 ms'],
    [
      'what a dump says itself',
      one('        from: t1.json\n        model: card-500\n'),
      'fleet.yaml:7 lines.0.terminals.0.model: a dump says itself what model would',
    ],
    ['what is no YAML', 'lines: [', 'fleet.yaml'],
  ])('E5 %s is an error that names the place', (_title, text, expected) => {
    const message = problem(text);
    expect(message).toMatch(/^FLEET_FILE /);
    expect(message).toContain(expected);
  });

  test('E5 a file that is not there is named', () => {
    expect(() => readFleet('/nowhere/fleet.yaml')).toThrow(/\/nowhere\/fleet\.yaml/);
  });

  test('E5 all that is wrong is told at once', () => {
    const message = problem(one('        adress: 5\n        model: iris-5\n'));
    expect(message.split('\n')).toHaveLength(2);
  });
});

describe('E5 a fleet', () => {
  const listening = (terminal: object): object => ({
    lines: [{ name: 'lab', listen: { port: 0 }, terminals: [{ name: 't1', ...terminal }] }],
  });
  const started = async (config: object, clock: Clock = new VirtualClock()): Promise<Fleet> => {
    const fleet = await startFleet(fleetSchema.parse(config), clock);
    fleets.push(fleet);
    return fleet;
  };

  test('E5 equal seeds hold equal users, whatever the model’s other users', async () => {
    const users = { count: 20, fingers: 2, cards: 1 };
    const first = await started(listening({ users }));
    const second = await started(listening({ users: { ...users, from: 11 } }));
    const [a, b] = [first.terminal('t1').terminal.users(), second.terminal('t1').terminal.users()];
    expect(a.size).toBe(20);
    expect(a.get(15)).toBe(b.get(15));
    expect(a.get(15)).not.toBe(a.get(16));
    expect(first.terminal('t1').terminal.logs()).toHaveLength(1);
  });

  test('E5 capabilities differ from the model’s only where the file says so', async () => {
    const capabilities = { users: 50, fingers: 2, holds: { pin: false } };
    const { terminal } = (await started(listening({ capabilities, bootMs: 7 }))).terminal('t1');
    expect(terminal.model).toMatchObject({
      name: 'finger-10k',
      bootMs: 7,
      capabilities: { users: 50, fingers: 2, cards: 2, holds: { pin: false, groups: true } },
    });
    expect(terminal.serial).toBe('EM-t1');
  });

  test('E3 E5 with a data folder the users outlive the fleet, and are not seeded again', async () => {
    const data = mkdtempSync(join(tmpdir(), 'whorl-fleet-'));
    const first = await started({ ...listening({ users: 3 }), data });
    first.terminal('t1').terminal.remove(2);
    await first.stop();
    const again = await started({ ...listening({ users: 3 }), data });
    expect([...again.terminal('t1').terminal.users().keys()]).toEqual([1, 3]);
    expect(again.terminal('t1').terminal.boots).toBe(2);
  });

  test('E5 more users than fit are refused, and nothing is left running', async () => {
    await expect(started(listening({ users: 2, capabilities: { users: 1 } }))).rejects.toMatchObject({
      code: 'TERMINAL_FULL',
    });
  });

  test('E5 names that nobody has are refused', async () => {
    const fleet = await started(listening({}));
    expect(() => fleet.terminal('t9')).toThrow(/t9/);
    expect(() => fleet.line('t1')).toThrow(/t1/);
  });

  test('E4 G2 a terminal with a network plug of its own takes its connection with it, and is there again', async () => {
    const fleet = await started(listening({ bootMs: 1 }), systemClock);
    const { terminal, line } = fleet.terminal('t1');
    const port = Number(/port (\d+)/.exec(line.cable.place)?.[1]);
    const socket = connect({ host: '127.0.0.1', port });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await vi.waitFor(() => expect(socket.readyState).toBe('open'), PATIENCE);
    terminal.powerOff();
    await closed;
    terminal.powerOn();
    await vi.waitFor(async () => {
      const again = connect({ host: '127.0.0.1', port });
      await new Promise((resolve, reject) => again.once('connect', resolve).once('error', reject));
      again.destroy();
    }, PATIENCE);
    expect(terminal.boots).toBe(2);
  });

  test.skipIf(!hasPty())('E1 E2 four terminals answer on one serial port of the kernel', async () => {
    const link = join(mkdtempSync(join(tmpdir(), 'whorl-fleet-')), 'floor.line');
    const terminals = [1, 2, 3, 4].map((address) => ({ name: `t${address}`, address }));
    await started({ lines: [{ name: 'floor', pty: { link }, terminals }] }, systemClock);
    const port = new SerialPort({ path: link, baudRate: 115_200 });
    const heard: string[] = [];
    const splitter = new FrameSplitter();
    port.on('data', (bytes: Buffer) => {
      splitter.push(bytes, (stuffed) => {
        const message = decodeMessage(fromWire(plainSession, stuffed).payload);
        heard.push(message.name === 'present' ? message.body.serial : message.name);
      });
    });
    for (const { address, name } of terminals) {
      const header = { address, sequence: 1, fromTerminal: false, attention: false };
      port.write(toWire(plainSession, header, 'discover', {}));
      await vi.waitFor(() => expect(heard.at(-1)).toBe(`EM-${name}`), PATIENCE);
    }
    expect(heard).toHaveLength(4);
    await new Promise((resolve) => {
      port.close(resolve);
    });
  });
});
