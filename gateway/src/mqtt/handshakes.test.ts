import { VirtualClock } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { Handshakes } from './handshakes.ts';

/** How many of so many handshakes an address may begin now. */
function begun(handshakes: Handshakes, address: string, count: number): number {
  return Array.from({ length: count }, () => handshakes.mayBegin(address)).filter((may) => may).length;
}

test('an address begins 64 handshakes at once and 16 a second, whatever others do', async () => {
  const clock = new VirtualClock();
  const handshakes = new Handshakes(clock);
  expect(begun(handshakes, '10.0.0.9', 500)).toBe(64);
  expect(begun(handshakes, '10.0.0.1', 5)).toBe(5);
  await clock.run({ forMs: 10_000 });
  expect(begun(handshakes, '10.0.0.9', 500), 'what was not used up is not saved for ever').toBe(64);
  await clock.run({ forMs: 2_000 });
  expect(begun(handshakes, '10.0.0.9', 500)).toBe(32);
  expect(begun(handshakes, '2001:db8::1', 64) + begun(handshakes, '2001:db8::2', 64), 'one network').toBe(64);
});

test('addresses without number take no memory without end', () => {
  const handshakes = new Handshakes(new VirtualClock());
  begun(handshakes, '192.0.2.1', 64);
  for (let number = 0; number < 1000; number += 1)
    begun(handshakes, `10.0.${number >> 8}.${number & 255}`, 1);
  expect(begun(handshakes, '192.0.2.1', 1), 'who comes again and again stays remembered').toBe(0);
  for (let number = 0; number < 2000; number += 1)
    begun(handshakes, `10.9.${number >> 8}.${number & 255}`, 1);
  expect(begun(handshakes, '192.0.2.1', 1)).toBe(1);
});
