import type { z } from 'zod';

/** One kind of event, as data: what its `data` holds and how loud it is. */
export interface EventRow {
  readonly level: 'info' | 'warning' | 'error';
  readonly data: z.ZodObject;
  readonly doc: string;
}
