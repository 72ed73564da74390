import type { Task } from '../store/tasks.ts';
import type { SyncWish } from '../terminals/portable.ts';

/** Who asks for a task, and when. */
export interface Asking {
  readonly terminal: string;
  readonly wish: Pick<SyncWish, 'task' | 'operator'>;
  /** Those who are known. */
  readonly operators: readonly number[];
  /** Milliseconds UTC. */
  readonly now: number;
}

export const REFUSAL_CODES = [
  'task-unknown',
  'task-other-terminal',
  'task-other-operator',
  'task-not-yet',
  'task-over',
] as const;

/** Why a terminal may not run a task; shown at its display. */
export interface Refused {
  readonly code: (typeof REFUSAL_CODES)[number];
  /** A sentence. */
  readonly reason: string;
}

/** @returns `undefined` when the terminal, and who is logged in there, may run the task now */
export function refusalOf(
  task: Task | undefined,
  { terminal, wish, operators, now }: Asking,
): Refused | undefined {
  if (task === undefined) return { code: 'task-unknown', reason: `There is no task ${wish.task}.` };
  if (!task.terminals.includes(terminal))
    return { code: 'task-other-terminal', reason: `${task.name} is not for this terminal.` };
  const named = task.operators.length === 0 || task.operators.includes(wish.operator);
  if (!named || !operators.includes(wish.operator))
    return { code: 'task-other-operator', reason: `${task.name} is not for this operator.` };
  if (task.validFrom !== undefined && now < task.validFrom)
    return { code: 'task-not-yet', reason: `${task.name} is valid from ${minute(task.validFrom)}.` };
  if (task.validUntil !== undefined && now >= task.validUntil)
    return { code: 'task-over', reason: `${task.name} was valid until ${minute(task.validUntil)}.` };
  return undefined;
}

function minute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
