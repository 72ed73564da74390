import { expect, test } from 'vitest';
import {
  answerLength,
  crc16,
  exceptionAnswer,
  openRtu,
  readAnswer,
  readRequest,
  requestLength,
  rtuFrame,
} from './rtu.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

test('P13 the CRC is that of the specification: 02 07 has 41 12', () => {
  expect(crc16(hex('0207'))).toBe(0x1241);
});

test('P13 a frame is opened as it was made, and not with a flipped bit', () => {
  const frame = rtuFrame(17, hex('03 006B 0003'));
  expect(Buffer.from(frame).toString('hex')).toBe('1103006b00037687');
  expect(openRtu(frame)).toEqual({ unit: 17, pdu: hex('03 006B 0003') });
  for (let bit = 0; bit < 8 * frame.length; bit += 1) {
    const hit = frame.slice();
    hit[bit >> 3] = (hit[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(openRtu(hit)).toBeUndefined();
  }
});

// The examples of the application protocol, V1.1b3, section 6.
test.each([
  ['01 0013 0013', { do: 'read', kind: 'coil', address: 19, count: 19 }],
  ['02 00C4 0016', { do: 'read', kind: 'discrete', address: 196, count: 22 }],
  ['03 006B 0003', { do: 'read', kind: 'holding', address: 107, count: 3 }],
  ['04 0008 0001', { do: 'read', kind: 'input', address: 8, count: 1 }],
  ['05 00AC FF00', { do: 'write', kind: 'coil', address: 172, values: [1], several: false }],
  ['06 0001 0003', { do: 'write', kind: 'holding', address: 1, values: [3], several: false }],
  [
    '0F 0013 000A 02 CD01',
    { do: 'write', kind: 'coil', address: 19, values: [1, 0, 1, 1, 0, 0, 1, 1, 1, 0], several: true },
  ],
  [
    '10 0001 0002 04 000A 0102',
    { do: 'write', kind: 'holding', address: 1, values: [10, 258], several: true },
  ],
])('P13 the request %s is read as the specification says', (pdu, request) => {
  expect(readRequest(hex(pdu))).toEqual(request);
  const frame = rtuFrame(1, hex(pdu));
  expect(requestLength(frame)).toBe(frame.length);
});

test.each([
  ['a function that there is not', '2B 0E01 00', 'illegal function'],
  ['nothing to read', '03 0000 0000', 'illegal value'],
  ['more than an answer holds', '03 0000 007E', 'illegal value'],
  ['half a coil', '05 0000 1234', 'illegal value'],
  ['fewer values than it says', '10 0001 0002 04 000A 01', 'illegal value'],
])('P13 %s is an exception', (_title, pdu, message) => {
  expect(() => readRequest(hex(pdu))).toThrow(message);
});

test('P13 answers are as the specification says, and their length is known from their head', () => {
  expect(readAnswer('input', [10])).toEqual(hex('04 02 000A'));
  const bits = [1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1];
  expect(readAnswer('coil', bits)).toEqual(hex('01 03 CD6B05'.replace('CD6B', 'CD6B')));
  const frame = rtuFrame(1, readAnswer('coil', bits));
  expect(answerLength(frame)).toBe(frame.length);
  expect(answerLength(frame.subarray(0, 2))).toBeUndefined();
  expect(answerLength(rtuFrame(1, exceptionAnswer(3, 'address')))).toBe(5);
});
