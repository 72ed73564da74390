import { describe, expect, test } from 'vitest';
import { codeOf, describe as describeError, ERRORS, WhorlError } from './errors.ts';

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
