import { expect, test } from 'vitest';
import type { Task } from '../store/tasks.ts';
import { refusalOf } from './rights.ts';
import type { Asking } from './rights.ts';

const TASK: Task = {
  ...{ id: 3, name: 'North', slice: { who: { by: 'groups', groups: [1] }, without: [] } },
  ...{ files: [], terminals: ['handheld'], operators: [7], validFrom: 1000, validUntil: 2000, changed: 0 },
};
const ASKING: Asking = {
  terminal: 'handheld',
  wish: { task: 3, operator: 7 },
  operators: [7, 8],
  now: 1500,
};

test('P2 a terminal that is tied to a task runs it, by an operator of the task, while it is valid', () => {
  expect(refusalOf(TASK, ASKING)).toBeUndefined();
  expect(
    refusalOf({ ...TASK, operators: [] }, { ...ASKING, wish: { task: 3, operator: 8 } }),
  ).toBeUndefined();
});

test.each([
  ['task-unknown', undefined, {}],
  ['task-other-terminal', TASK, { terminal: 'other' }],
  ['task-other-operator', TASK, { wish: { task: 3, operator: 8 } }],
  ['task-other-operator', { ...TASK, operators: [] }, { wish: { task: 3, operator: 9 } }],
  ['task-not-yet', TASK, { now: 999 }],
  ['task-over', TASK, { now: 2000 }],
] as const)('P2 any other is refused, and told why: %s', (code, task, changes) => {
  const refused = refusalOf(task, { ...ASKING, ...changes });
  expect(refused?.code).toBe(code);
  expect(refused?.reason).toMatch(/^[A-Z].*\.$/);
});
