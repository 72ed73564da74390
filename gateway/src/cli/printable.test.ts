import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test('what would drive a console is shown as its number, all else as it is', () => {
  expect(printable('x\u001b[31mRED')).toBe('x\\u{1b}[31mRED');
  expect(printable('a\u0000b\u202ec\u2066\r')).toBe('a\\u{0}b\\u{202e}c\\u{2066}\\u{d}');
  expect(printable('Zoë Åse 陳 👩‍🔧\n\tnext')).toBe('Zoë Åse 陳 👩‍🔧\n\tnext');
});
