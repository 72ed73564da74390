import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { VirtualClock } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { readFleet } from './config.ts';
import { startFleet } from './fleet.ts';
import { checkedFleet, makeFleet, writeFleet } from './make.ts';

test('E5 a fleet is made of numbers, and can be written as a file that makes the same one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'whorl-make-'));
  try {
    const pty = join(folder, 'ports');
    const wish = { lines: '2', terminals: '2', users: '30', model: 'card-500,finger-10k', pty };
    const fleet = makeFleet(wish);
    expect(checkedFleet(fleet).lines[1]).toMatchObject({
      pty: { link: join(pty, 'line-2.line') },
      terminals: [
        { name: 'terminal-3', address: 1, model: 'card-500', users: { count: 30, cards: 1 } },
        { name: 'terminal-4', address: 2, model: 'finger-10k', users: { count: 30, fingers: 1 } },
      ],
    });
    const path = join(folder, 'site.yaml');
    writeFleet(path, fleet);
    expect(readFleet(path).lines).toEqual(checkedFleet(fleet).lines);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('E5 terminals that hold the same users share them, and each changes its own', async () => {
  const config = checkedFleet(makeFleet({ terminals: 3, users: 40, tcp: 0 }));
  const clock = new VirtualClock();
  const fleet = await startFleet(config, clock);
  const [one, other, third] = ['terminal-1', 'terminal-2', 'terminal-3'].map(
    (name) => fleet.terminal(name).terminal,
  );
  one?.remove(7);
  other?.edit({ user: 8, set: { name: 'Ada' } });
  expect([one?.userCount, other?.userCount, third?.userCount]).toEqual([39, 40, 40]);
  expect(third?.user(8)?.name).toBe('Person 8');
  const digest = other?.tableDigest;
  other?.reboot();
  await clock.run({ forMs: 1_000 });
  expect([other?.tableDigest, other?.user(8)?.name]).toEqual([digest, 'Ada']);
  await fleet.stop();
});

test('E5 E7 a fleet is made of dumps, one after the other', () => {
  const fleet = checkedFleet(makeFleet({ from: '/d/one.json,/d/two.json', lines: 2, tcp: 0 }));
  expect(fleet.lines.map(({ terminals }) => terminals.map(({ from }) => from))).toEqual([
    ['/d/one.json', '/d/two.json'],
    ['/d/one.json', '/d/two.json'],
  ]);
});

test.each([
  [{ from: 'one.json', users: 5, tcp: 0 }, /a dump says itself what --users would/],
  [{ from: 'one.json', model: 'card-500', tcp: 0 }, /what --model would/],
  [{ lines: 0, tcp: 0 }, /lines:/],
  [{ model: 'finger-10', tcp: 0 }, /did you mean finger-10k\?/],
  [{ model: 'card-500', users: 600, tcp: 0 }, /500 users at most/],
  [{ tcp: 0, dial: 'a:1' }, /one of --pty, --tcp and --dial/],
  [{ lines: 10, tcp: 65_530 }, /there are no 10 ports/],
  [{ dial: 'gateway' }, /host:port/],
])('E5 %j is refused, and the message says why', (given, message) => {
  expect(() => makeFleet(given)).toThrow(message);
});
