import { expect, test } from 'vitest';
import { z } from 'zod';
import { wording } from './wording.ts';

const schema = z.strictObject({
  id: z.int().min(2).max(64).optional(),
  share: z.number().gt(0).optional(),
  name: z.string().min(1).max(9).optional(),
  list: z.array(z.int()).max(1).optional(),
  few: z.enum(['red', 'green']).optional(),
  many: z.enum(['one', 'two', ...Array.from({ length: 20 }, (_, index) => `colour-${index}`)]).optional(),
  last: z.coerce.number().optional(),
  own: z.string().min(3, 'three letters').optional(),
  lines: z.array(z.strictObject({ name: z.string() })).optional(),
});

test.each([
  [{ id: 1 }, 'at least 2'],
  [{ id: 65 }, 'at most 64'],
  [{ share: 0 }, 'more than 0'],
  [{ name: '' }, 'at least 1 character'],
  [{ name: 'abcdefghij' }, 'at most 9 characters'],
  [{ list: [1, 2] }, 'at most 1 entry'],
  [{ few: 'blue' }, 'one of red, green'],
  [{ many: 'twoo' }, 'there is none of this name; did you mean two?'],
  [{ last: 'x' }, 'not a number'],
  [{ own: 'a' }, 'three letters'],
  [{ lines: [{}] }, 'is needed'],
])('what does not fit is told as a rule: %j', (value, text) => {
  const { error } = schema.safeParse(value);
  expect(error?.issues.map((issue) => wording(issue, value))).toEqual([text]);
});
