import { codeOf } from '@whorl/protocol';
import { expect, test } from 'vitest';
import { readRows } from './user-files.ts';

const HEAD = 'id,name,groups,card_0,valid_from';
const csv = (...lines: string[]): Uint8Array => Buffer.from([HEAD, ...lines].join('\n'));

function refusal(work: () => unknown): { code: string | undefined; message: string } {
  try {
    work();
  } catch (error) {
    return { code: codeOf(error), message: error instanceof Error ? error.message : '' };
  }
  return { code: undefined, message: '' };
}

test('rows of a CSV file become users, whatever made the file', () => {
  const row = '7,"Lovelace, Ada",1 2,04a1b2c3/2,2026-01-31';
  const expected = [
    {
      id: 7,
      name: 'Lovelace, Ada',
      groups: [1, 2],
      cards: { 0: { format: 2, number: '04a1b2c3' } },
      validFrom: '2026-01-31',
    },
  ];
  expect(readRows('a.csv', csv(row))).toEqual({ users: expected, bad: [] });
  const windows = Buffer.from(`\ufeff${HEAD}\r\n${row}\r\n\r\n`);
  expect(readRows('a.csv', windows)).toEqual({ users: expected, bad: [] });
});

test.each([
  ['an id that is no number', 'abc,Ada,,,', 'a.csv:2: column id: '],
  ['an id that is too large', '4294967296,Ada,,,', 'a.csv:2: column id: '],
  ['no id', ',Ada,,,', 'a.csv:2: column id: '],
  ['half an id', '7.5,Ada,,,', 'a.csv:2: column id: '],
  ['a group that is no number', '7,Ada,staff,,', 'a.csv:2: column groups: '],
  ['a group out of range', '7,Ada,70000,,', 'a.csv:2: column groups: '],
  ['a card that is not hex', '7,Ada,,04G1,', 'a.csv:2: column card_0: '],
  ['half a byte of a card', '7,Ada,,04A,', 'a.csv:2: column card_0: '],
  ['a card format that is none', '7,Ada,,04A1/x,', 'a.csv:2: column card_0: '],
  ['a date that is none', '7,Ada,,,2026-13-45', 'a.csv:2: column valid_from: '],
  ['a name that is too long', `7,${'x'.repeat(65)},,,`, 'a.csv:2: column name: '],
])('%s is told with file, line and column; the rows beside it are sound', (_, line, place) => {
  const { users, bad } = readRows('a.csv', csv(line, '8,Grace,1,,'));
  expect(users.map(({ id }) => id)).toEqual([8]);
  expect(bad.join('\n')).toContain(place);
});

test('a user that stands twice is told; the first one counts', () => {
  const { users, bad } = readRows('a.csv', csv('7,Ada,,,', '7,Grace,,,'));
  expect(users.map(({ name }) => name)).toEqual(['Ada']);
  expect(bad).toEqual(['a.csv:3: user 7 stands twice in the file']);
});

test.each([
  [
    'an unknown column',
    Buffer.from('id,nmae\n7,Ada\n'),
    'a.csv:1: no column is called nmae; did you mean name?',
  ],
  ['no column for ids', Buffer.from('name\nAda\n'), 'a.csv:1: the column id is missing'],
  ['a quote that never ends', csv('7,"Ada,,,', '8,Grace,,,'), 'a.csv: '],
  ['more cells than columns', csv('7,Ada,,,,,,'), 'a.csv: '],
  ['fewer cells than columns', csv('7,Ada'), 'a.csv: '],
  [
    'letters in Latin-1',
    Buffer.concat([csv('7,'), Buffer.from([0xc5, 0x64, 0x61, 0x2c, 0x2c, 0x2c])]),
    'a.csv:2: ',
  ],
  ['something else altogether', Buffer.from([0x50, 0x4b, 3, 4, 0xff, 0, 0, 0]), 'a.csv:1: '],
])('%s refuses the whole file with IMPORT_ROW and its place', (_, bytes, text) => {
  const { code, message } = refusal(() => readRows('a.csv', bytes));
  expect(code).toBe('IMPORT_ROW');
  expect(message).toContain(text);
});

test.each([
  ['not JSON', '{', 'a.json: '],
  ['no list', '{"id":7}', 'a.json: a list of users is expected'],
])('a JSON file with %s is refused with IMPORT_ROW', (_, text, part) => {
  const { code, message } = refusal(() => readRows('a.json', Buffer.from(text)));
  expect(code).toBe('IMPORT_ROW');
  expect(message).toContain(part);
});

test('members of a JSON file that mean nothing are told with their place', () => {
  const { users, bad } = readRows('a.json', Buffer.from('[{"id":7,"nmae":"Ada"},{"id":8},7]'));
  expect(users.map(({ id }) => id)).toEqual([8]);
  expect(bad.join('\n')).toMatch(/a\.json\[0\]: .*nmae[\s\S]*a\.json\[2\]: /);
});
