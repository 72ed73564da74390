import { describe, expect, test } from 'vitest';
import { codeOf, describe as describeError, ERRORS, textOf, WhorlError } from './errors.ts';

describe('an error', () => {
  const error = new WhorlError('FRAME_COBS', 'a zero inside the frame', { cause: 'noise' });

  test('has a code, says what and where, and what to do', () => {
    expect(error).toBeInstanceOf(Error);
    expect(error.code).toBe('FRAME_COBS');
    expect(error.message).toBe('a zero inside the frame');
    expect(error.remedy).toBe(ERRORS.FRAME_COBS);
    expect(error.cause).toBe('noise');
  });

  test('is one line for people, whatever was thrown', () => {
    expect(describeError(error)).toBe('FRAME_COBS: a zero inside the frame');
    expect(describeError(new TypeError('other'))).toBe('other');
    expect(describeError('text')).toBe('text');
  });

  test('tells its code once, however often it was told of on the way', () => {
    const read = new WhorlError('FILE_READ', 'a.cap: no such file');
    const again = new WhorlError('FILE_READ', `rig.yaml: ${describeError(read)}`);
    expect(describeError(again)).toBe('FILE_READ: rig.yaml: a.cap: no such file');
    const other = new WhorlError('FILE_WRITE', `b.cap: ${describeError(read)}`);
    expect(describeError(other)).toBe('FILE_WRITE: b.cap: FILE_READ: a.cap: no such file');
    expect(textOf(again)).toBe('rig.yaml: a.cap: no such file');
    expect(textOf('text')).toBe('text');
  });

  test('has a code only when it is ours', () => {
    expect(codeOf(error)).toBe('FRAME_COBS');
    expect(codeOf(new TypeError('other'))).toBeUndefined();
    expect(codeOf(undefined)).toBeUndefined();
  });
});

test('every code says what happened in a sentence', () => {
  for (const [code, text] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    expect(text, code).toMatch(/^[A-Z].*[.?]$/s);
  }
});
