import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { addressGroup, Strangers } from './strangers.ts';
import { connectProgram, listen, scratch, startBench, updated } from './testing/bench.ts';
import { certified } from './testing/certified.ts';
import { besiege } from './testing/siege.ts';

/** A machine may have much else to do. */
const PATIENCE = { timeout: 10_000 };

let port = 1000;

class Fake extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort = (port += 1);
  gone = false;

  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }

  destroy(): void {
    this.gone = true;
    this.emit('close');
  }
}

/** @returns those that came, in their order */
function come(strangers: Strangers, ...addresses: readonly string[]): Fake[] {
  return addresses.map((address) => {
    const fake = new Fake(address);
    strangers.came(fake);
    return fake;
  });
}

const times = (count: number, address: (n: number) => string): string[] =>
  Array.from({ length: count }, (_, n) => address(n));
const gone = (fakes: readonly Fake[]): number => fakes.filter((one) => one.gone).length;

test('the address with most connections pays for another one, the oldest first; nobody else does', () => {
  const strangers = new Strangers({ most: 40, putOut: () => undefined });
  const [site] = come(strangers, '10.0.0.1');
  const attack = come(strangers, ...times(500, () => '10.0.0.9'), ...times(20, () => '10.0.0.8'));
  expect(site?.gone).toBe(false);
  expect(strangers.count).toBe(40);
  expect(gone(attack.slice(0, 480))).toBe(480);
  expect(attack.at(-1)?.gone).toBe(false);
  expect(gone(attack.slice(500))).toBeLessThan(2);
});

test('many addresses with few connections each put out strangers, the oldest first, and none from where somebody came in before', () => {
  const strangers = new Strangers({ most: 40, putOut: () => undefined });
  const [once] = come(strangers, '10.0.0.1');
  if (once !== undefined) strangers.admitted(once);
  once?.destroy();
  const [back] = come(strangers, '10.0.0.1');
  const attack = come(strangers, ...times(1000, (n) => `10.1.${n >> 8}.${n & 255}`));
  expect(back?.gone).toBe(false);
  expect(strangers.count).toBe(40);
  expect(gone(attack.slice(0, -39))).toBe(961);
  const inside = come(strangers, ...times(200, () => '10.0.0.1'));
  expect(gone(inside), 'an address that is known is no way to take all').toBeGreaterThan(150);
});

test('whoever is in is none of them any more, and whoever leaves makes room', () => {
  const putOut = vi.fn();
  const strangers = new Strangers({ most: 3, putOut });
  const all = come(strangers, 'a', 'b', 'c');
  for (const one of all) strangers.admitted(one);
  const [left] = come(strangers, 'a', 'b', 'c');
  left?.destroy();
  come(strangers, 'd');
  expect(putOut).not.toHaveBeenCalled();
  come(strangers, 'e');
  expect(putOut).toHaveBeenCalledOnce();
  expect(gone(all)).toBe(0);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('%s counts as %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test.each(['plain', 'tls'])(
  'however many silent connections there are, a program gets in, and who is in stays (%s)',
  async (over) => {
    const tls = over === 'tls' ? certified(scratch(), 'localhost') : undefined;
    const bench = await startBench(tls === undefined ? {} : { tls });
    const url = bench.face.brokerUrl ?? '';
    const trust = tls === undefined ? {} : { ca: readFileSync(tls.cert), servername: 'localhost' };
    const inside = await listen(bench, trust);
    const siege = await besiege(Number(new URL(url).port), { connections: 200 });
    const password = readFileSync(bench.face.passwordFile ?? '', 'utf8').trim();
    for (let count = 0; count < 5; count += 1)
      await connectProgram(url, { username: 'whorl', password, connectTimeout: 5_000, ...trust });
    const { id } = bench.memory.add(updated(1));
    await vi.waitFor(
      () =>
        expect(inside.under('events/user/update/succeeded')).toContainEqual(expect.objectContaining({ id })),
      PATIENCE,
    );
    expect(inside.client.connected).toBe(true);
    await vi.waitFor(() => expect(siege.opened).toBeGreaterThan(300), PATIENCE);
  },
);
