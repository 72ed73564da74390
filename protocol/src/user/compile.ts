import { WhorlError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Compiled } from '../codec/compile.ts';
import { decodeInline, encodeInline } from '../codec/source.ts';
import { readText, writeText } from '../codec/text.ts';
import { FIELDS, FIELD_NAMES } from './fields.ts';
import { lengthWidth } from './record.ts';

/** Straight-line code for the whole user, made of the field table: see codec/compile.ts. */
export function compileUser<User>(): Compiled<User> {
  const fail = (code: ErrorCode, path: string): never => {
    throw new WhorlError(code, `user ${path}`);
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- straight-line code from our own table
  return new Function(
    'fail',
    'readText',
    'writeText',
    `'use strict'; return { encode(user, out, at) {\n${encoder()}\n}, decode(bytes, at, end) {\n${decoder()}\n} };`,
  )(fail, readText, writeText) as Compiled<User>;
}

function encoder(): string {
  const fields = FIELD_NAMES.map((name) => {
    const { number, codec } = FIELDS[name];
    const width = lengthWidth(number);
    const head = (1 + width).toString();
    return `const f${number.toString()} = user[${JSON.stringify(name)}];
if (f${number.toString()} !== undefined) {
count += 1; out[at] = ${number.toString()}; at += ${head};
const start = at;
${encodeInline(codec, `f${number.toString()}`, name)}
const length = at - start;
${storeLength(width)}
}`;
  });
  return `const room = out.length;
const id = user.id; if (id >>> 0 !== id) fail('MESSAGE_RANGE', 'id');
out[at] = id; out[at + 1] = id >>> 8; out[at + 2] = id >>> 16; out[at + 3] = id >>> 24;
const countAt = at + 4; at += 5; let count = 0;
${fields.join('\n')}
if (at > room) fail('MESSAGE_LONG', '');
out[countAt] = count;
return at;`;
}

function storeLength(width: 1 | 2 | 4): string {
  const bytes = Array.from(
    { length: width },
    (_, i) => `out[start - ${(width - i).toString()}] = length >>> ${(8 * i).toString()};`,
  );
  return bytes.join(' ');
}

function decoder(): string {
  const variable = (name: string): string => `f${FIELDS[name as keyof typeof FIELDS].number.toString()}`;
  const cases = FIELD_NAMES.map(
    (name) =>
      `case ${FIELDS[name].number.toString()}: {\n${decodeInline(FIELDS[name].codec, variable(name), name)}\nbreak; }`,
  );
  const members = FIELD_NAMES.map((name) => `${JSON.stringify(name)}: ${variable(name)}`);
  return `const last = end;
if (at + 5 > last) fail('MESSAGE_SHORT', 'head');
const id = (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16)) + bytes[at + 3] * 16777216;
let left = bytes[at + 4]; at += 5;
let ${FIELD_NAMES.map(variable).join(', ')};
let previous = -1;
for (; left > 0; left -= 1) {
const number = bytes[at];
const width = number < 64 ? 1 : number < 128 ? 2 : 4;
if (at + 1 + width > last) fail('MESSAGE_SHORT', 'length of a field');
if (number <= previous) fail('USER_ORDER', 'field ' + number);
let length = bytes[at + 1];
if (width > 1) length |= bytes[at + 2] << 8;
if (width > 2) length += (bytes[at + 3] << 16) + bytes[at + 4] * 16777216;
at += 1 + width;
const end = at + length;
if (end > last) fail('MESSAGE_SHORT', 'field ' + number);
switch (number) {
${cases.join('\n')}
default: at = end;
}
if (at !== end) fail('MESSAGE_LONG', 'field ' + number);
previous = number;
}
if (at !== last) fail('MESSAGE_LONG', '');
return { id, ${members.join(', ')} };`;
}
