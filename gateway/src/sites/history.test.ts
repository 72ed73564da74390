import { expect, test } from 'vitest';
import { cursorAt, resumeAt, runEnd } from './history.ts';

test('S10 a cursor tells whether the log is still the one that it was taken from', () => {
  const runs = [
    { id: 'a', seq: 0, event: 0, holding: 0 },
    { id: 'b', seq: 100, event: 10, holding: 0 },
  ];
  const history = { runs, heads: { users: 120, events: 30, holdings: 0 } };
  expect(resumeAt(history, 'users', { run: 'b', seq: 110 })).toEqual({ seq: 110, lost: false });
  expect(resumeAt(history, 'users', { run: 'b', seq: 130 }), 'ahead of its log').toEqual({
    seq: 120,
    lost: true,
  });
  expect(resumeAt(history, 'users', { run: 'a', seq: 105 }), 'grew again since').toEqual({
    seq: 100,
    lost: true,
  });
  expect(resumeAt(history, 'users', { run: 'c', seq: 5 }), 'of another history').toEqual({
    seq: 0,
    lost: true,
  });
  expect(resumeAt(history, 'users', undefined)).toEqual({ seq: 0, lost: false });
  expect(cursorAt(history, 'users', 100)).toEqual({ run: 'a', seq: 100 });
  expect(cursorAt(history, 'events', 11)).toEqual({ run: 'b', seq: 11 });
  expect(runEnd(history, 'events', 3)).toBe(10);
});
