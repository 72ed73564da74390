import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ask, ASK_START } from './asking.ts';
import type { AskInput, AskOutput, AskPlan, AskState } from './asking.ts';

type Event = 'written' | 'answer' | 'final' | 'garbled' | 'overdue' | 'early';
const EVENTS: readonly Event[] = ['written', 'answer', 'final', 'garbled', 'overdue', 'early'];

const PLAN: AskPlan = { tries: 3, frames: 1, timeoutMs: 50, nextMs: 10, garbledMs: 5 };

/** Feeds events to the machine: `overdue` comes at the deadline, `early` just before it. */
function play(plan: AskPlan, events: readonly Event[]): { outputs: AskOutput[]; state: AskState } {
  let state = ASK_START;
  let now = 0;
  const outputs: AskOutput[] = [];
  for (const event of events) {
    if (event === 'overdue' && state.kind === 'waiting') now = Math.max(now, state.deadline);
    const step = ask(plan, state, inputOf(event, now));
    state = step.state;
    outputs.push(step.output);
    now += 1;
  }
  return { outputs, state };
}

function inputOf(event: Event, now: number): AskInput {
  switch (event) {
    case 'written':
    case 'garbled':
    case 'overdue':
      return { kind: event, now };
    case 'early':
      return { kind: 'overdue', now: -1 };
    case 'answer':
      return { kind: 'answer', now, final: false };
    case 'final':
      return { kind: 'answer', now, final: true };
  }
}

const kinds = (plan: AskPlan, ...events: Event[]): string[] =>
  play(plan, events).outputs.map(({ kind }) => kind);

function* sequences(length: number): Generator<Event[]> {
  if (length === 0) yield [];
  else for (const rest of sequences(length - 1)) for (const event of EVENTS) yield [...rest, event];
}

describe('one exchange', () => {
  test.each([
    { tries: 1, frames: 1 },
    { tries: 2, frames: 1 },
    { tries: 2, frames: 3 },
    { tries: 3, frames: 2 },
  ])(
    'settles at most once and is sent at most $tries times, in every order of six events ($frames frames)',
    (plan) => {
      for (const events of sequences(6)) {
        const { outputs, state } = play({ ...PLAN, ...plan }, events);
        const settled = outputs.findIndex(({ kind }) => kind === 'answered' || kind === 'timeout');
        const writes = outputs.filter(({ kind }) => kind === 'write').length;
        expect(1 + writes).toBeLessThanOrEqual(plan.tries);
        expect(state.kind === 'settled').toBe(settled >= 0);
        if (settled >= 0)
          expect(outputs.slice(settled + 1).every(({ kind }) => kind === 'nothing')).toBe(true);
      }
    },
  );

  test('always comes to an end when the line reports each write and each deadline', () => {
    const plan = fc.record({
      tries: fc.integer({ min: 1, max: 5 }),
      frames: fc.integer({ min: 1, max: 5 }),
      timeoutMs: fc.integer({ min: 1, max: 500 }),
      nextMs: fc.integer({ min: 1, max: 50 }),
      garbledMs: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(plan, fc.array(fc.boolean(), { maxLength: 30 }), (plan, answers) => {
        let state = ASK_START;
        let steps = 0;
        for (; state.kind !== 'settled'; steps += 1) {
          const now: number = state.kind === 'waiting' ? state.deadline : 0;
          const answered = state.kind === 'waiting' && answers[steps] === true;
          const kind = state.kind === 'writing' ? 'written' : 'overdue';
          const input: AskInput = answered ? { kind: 'answer', now, final: false } : { kind, now };
          state = ask(plan, state, input).state;
        }
        expect(steps).toBeLessThanOrEqual(2 * plan.tries + plan.frames);
      }),
    );
  });

  test('is answered', () => {
    expect(kinds(PLAN, 'written', 'answer')).toEqual(['wait', 'answered']);
  });

  test('waits from the end of writing, and after each frame from that frame', () => {
    const { outputs } = play({ ...PLAN, frames: 3 }, ['written', 'answer', 'answer', 'answer']);
    expect(outputs).toEqual([
      { kind: 'wait', deadline: 50 },
      { kind: 'wait', deadline: 11 },
      { kind: 'wait', deadline: 12 },
      { kind: 'answered', complete: true },
    ]);
  });

  test('is sent again when no answer comes, and times out when no try is left', () => {
    const round: Event[] = ['written', 'overdue'];
    expect(kinds(PLAN, ...round, ...round, ...round)).toEqual([
      'wait',
      'write',
      'wait',
      'write',
      'wait',
      'timeout',
    ]);
  });

  test('is not given up before its deadline', () => {
    expect(kinds(PLAN, 'written', 'early', 'answer')).toEqual(['wait', 'nothing', 'answered']);
  });

  test('that was answered in part is settled with what came', () => {
    const { outputs } = play({ ...PLAN, frames: 3 }, ['written', 'answer', 'overdue']);
    expect(outputs.at(-1)).toEqual({ kind: 'answered', complete: false });
  });

  test('is ended by a refusal however many frames were expected', () => {
    expect(kinds({ ...PLAN, frames: 8 }, 'written', 'final')).toEqual(['wait', 'answered']);
  });

  test('takes an answer that overtakes the report of its own writing', () => {
    expect(kinds(PLAN, 'answer', 'written')).toEqual(['answered', 'nothing']);
  });

  test('takes a late answer to its first writing while it is sent again', () => {
    expect(kinds(PLAN, 'written', 'overdue', 'answer')).toEqual(['wait', 'write', 'answered']);
  });
});
