import { z } from 'zod';
import { JOB_STATES } from '../store/jobs.ts';
import { milliseconds } from './schemas.ts';

/** A job as it is told. */
export const jobSchema = z.strictObject({
  id: z.int(),
  kind: z.string(),
  who: z.string().describe('The account that asked for it.'),
  state: z.enum(JOB_STATES),
  began: milliseconds,
  ended: milliseconds.optional(),
  done: z.int().describe('Steps done, of `total`.'),
  total: z.int(),
  result: z.unknown().optional().describe('What came of it, also of one that was cancelled.'),
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
});
