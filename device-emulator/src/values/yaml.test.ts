import { expect, test } from 'vitest';
import { z } from 'zod';
import { parseYaml } from './yaml.ts';

const schema = z.union([
  z.strictObject({ emulated: z.enum(['memory', 'pty']) }),
  z.strictObject({
    data: z.string(),
    people: z.union([z.literal('person'), z.strictObject({ port: z.int() })]).optional(),
    lines: z.array(z.string()).min(1),
  }),
]);

function problem(text: string): string {
  try {
    parseYaml({ schema, code: 'RIG_FILE' }, 'r.yaml', text);
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'none';
}

test.for([
  ['emulated: memory\nlines: [a]', 'r.yaml:2 lines: does not go with what else is there'],
  ['lines: [a]', 'r.yaml:1 data: is needed'],
  ['data: d\nlines: []', 'r.yaml:2 lines: at least 1 entry'],
  ['data: d\nlines: [a]\npeople: persn', 'r.yaml:3 people: expected "person" or object'],
  ['data: d\nlines: [a]\nlnies: [a]', 'r.yaml:3 lnies: unknown key; did you mean lines?'],
  ['just text', 'r.yaml:1: expected object'],
] as const)('%j is told as %s', ([text, told]) => {
  expect(problem(text)).toBe(told);
});
