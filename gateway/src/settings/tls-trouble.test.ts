import { expect, test } from 'vitest';
import { tlsTrouble } from './tls-trouble.ts';

function failed(message: string, code: string): Error {
  return Object.assign(new Error(message), { code });
}

test.each([
  ['certificate is not yet valid', 'CERT_NOT_YET_VALID', Date.UTC(1970, 0, 1, 0, 4), '1970-01-01 00:04 UTC'],
  ['certificate has expired', 'CERT_HAS_EXPIRED', Date.UTC(2099, 11, 31), '2099-12-31 00:00 UTC'],
])('%s is told with the clock that says so', (message, code, now, shown) => {
  const told = `${message}, by this machine’s clock, which shows ${shown}`;
  expect(tlsTrouble(failed(message, code), now)).toBe(told);
  expect(tlsTrouble(message, now, code)).toBe(told);
});

test('what no clock is to blame for is told as it is', () => {
  expect(tlsTrouble(failed('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 0)).toBe(
    'self-signed certificate',
  );
  expect(tlsTrouble(new Error('closed'), 0)).toBe('closed');
});
