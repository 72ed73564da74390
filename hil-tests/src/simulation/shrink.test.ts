import { expect, test } from 'vitest';
import { ACTIONS } from './actions.ts';
import { runProgramme } from './programme.ts';
import type { Programme } from './plan.ts';
import { shrunk, shrunkBy } from './shrink.ts';

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

test('what matters at the beginning is not tried again each time that something behind it was left out', async () => {
  const matters = [0, 1, 20, 40, 63];
  let tries = 0;
  const short = await shrunkBy([...Array(64).keys()], new Error('whole'), {
    mostTries: 1_000,
    sizeOf: (steps) => steps.length,
    without: (steps, from, to) => steps.filter((_, index) => index < from || index >= to),
    run(steps) {
      tries += 1;
      if (matters.every((one) => steps.includes(one))) throw new Error(steps.join(' '));
      return Promise.resolve();
    },
  });
  expect(short.message).toBe(matters.join(' '));
  expect(tries).toBeLessThan(60);
});
