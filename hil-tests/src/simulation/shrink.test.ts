import { expect, test } from 'vitest';
import { ACTIONS } from './actions.ts';
import { runProgramme } from './programme.ts';
import type { Programme } from './plan.ts';
import { shrunk } from './shrink.ts';

test('of a programme that fails, only what makes it fail is left', { timeout: 60_000 }, async () => {
  const [, idle = () => []] = ACTIONS.find(([, { name }]) => name === 'idle') ?? [];
  const begins = { action: () => [], seed: 1 };
  const step = { action: idle, seed: 1, passesMs: 10 };
  const bad = {
    ...step,
    action: (): never => {
      throw new Error('the roof falls in');
    },
  };
  const programme: Programme = {
    seed: 1,
    site: 'few',
    rounds: [
      { begins, home: 1, steps: [step, step, step] },
      { begins, home: 1, steps: [step, bad, step] },
    ],
  };
  const whole = await runProgramme(programme).then(
    () => new Error('it does not fail'),
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  expect(whole.message.match(/ pass/g)).toHaveLength(4);
  const short = await shrunk(programme, whole);
  expect(short.message).toContain('the roof falls in');
  expect(short.message).not.toContain(' pass');
});
