import { z } from 'zod';
import { EFFECTS } from '../sync/preview.ts';
import { after, count, text } from './schemas.ts';

/** What a change that may remove or overwrite users can be asked with. */
export const previewQuery = z.strictObject({
  dryRun: z.stringbool().default(false).describe('Only answers what would be done.'),
  confirm: text.optional().describe('What a dry run answered; the change is then done as it was shown.'),
  after: after.optional().describe('Of a dry run: names users with higher ids.'),
  limit: count.default(100).describe('Of a dry run: names about so many users.'),
});

const counts = {
  added: z.int(),
  overwritten: z.int(),
  removed: z.int(),
  fetched: z.int(),
  left: z.int().describe('From now on neither sent nor removed.'),
};

/** What a change would do. */
export const previewSchema = z.strictObject({
  confirm: z.string().describe('Given back with the change, it is done as shown, or refused.'),
  guarded: z
    .boolean()
    .describe('Without that it is refused: it removes, an import overwrites, more than the guard lets pass.'),
  terminals: z
    .array(
      z.strictObject({
        terminal: z.string(),
        users: z.int().describe('That it should have now.'),
        ...counts,
      }),
    )
    .readonly(),
  users: z
    .array(z.strictObject({ user: z.int(), terminal: z.string(), effect: z.enum(EFFECTS) }))
    .readonly()
    .describe('A page of who, by ascending user.'),
  next: z.int().optional().describe('`after` of the next page, when there is one.'),
});

/** The page that a query asks for. */
export function pageOf(query: Pick<z.output<typeof previewQuery>, 'after' | 'limit'>): {
  after?: number;
  limit: number;
} {
  return { limit: query.limit, ...(query.after === undefined ? {} : { after: query.after }) };
}

/** For the audit trail: that somebody confirmed what the guard held back. */
export function confirmation({ confirm }: z.output<typeof previewQuery>): { readonly confirmed?: true } {
  return confirm === undefined ? {} : { confirmed: true };
}
