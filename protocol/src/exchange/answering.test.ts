import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AnswerMemory } from './answering.ts';

const POLL = Uint8Array.of(2);
const READ = Uint8Array.of(0x10, 1, 0, 0, 0);
const ANSWER = [Uint8Array.of(1, 2, 3)];

describe('a terminal’s memory of its answers', () => {
  test('knows a request that comes again by its number and its bytes', () => {
    const memory = new AnswerMemory(1);
    memory.keep(7, POLL, ANSWER);
    expect(memory.repeated(7, POLL.slice())).toBe(ANSWER);
    expect(memory.repeated(8, POLL)).toBeUndefined();
    expect(memory.repeated(7, READ)).toBeUndefined();
  });

  test('still knows it when the bytes that it was read from are used again', () => {
    const memory = new AnswerMemory(1);
    const buffer = Buffer.from(READ);
    memory.keep(7, buffer, ANSWER);
    buffer.fill(0);
    expect(memory.repeated(7, READ)).toBe(ANSWER);
  });

  test('keeps one answer for a number: the latest', () => {
    const memory = new AnswerMemory(4);
    const later = [Uint8Array.of(9)];
    memory.keep(7, POLL, ANSWER);
    memory.keep(7, READ, later);
    expect(memory.repeated(7, POLL)).toBeUndefined();
    expect(memory.repeated(7, READ)).toBe(later);
  });

  test('keeps as many as may be under way, and forgets the oldest first', () => {
    const numbers = fc.uniqueArray(fc.nat(0xffff), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 8 }), (numbers, window) => {
        const memory = new AnswerMemory(window);
        for (const number of numbers) memory.keep(number, POLL, ANSWER);
        const known = numbers.filter((number) => memory.repeated(number, POLL) !== undefined);
        expect(known).toEqual(numbers.slice(-window));
      }),
    );
  });

  test('is empty when a new session begins', () => {
    const memory = new AnswerMemory(4);
    memory.keep(7, POLL, ANSWER);
    memory.forget();
    expect(memory.repeated(7, POLL)).toBeUndefined();
  });
});
