import { expect, test } from 'vitest';
import { reasonOfClosing } from './serial.ts';

test.each([
  ['an error', new Error('EIO'), 'COM3 has gone: was the adapter unplugged? (EIO)'],
  ['null', null, 'COM3 was closed'],
  ['nothing', undefined, 'COM3 was closed'],
])('G2 G8 a port that closes with %s says so, and stops nothing', (_, error, reason) => {
  expect(reasonOfClosing('COM3', error)).toBe(reason);
});
