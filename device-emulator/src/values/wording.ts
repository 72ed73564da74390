import type { z } from 'zod';

/** What does not fit, for people: the schema's own words where it has some, else the rule. */
export function wording(issue: z.core.$ZodIssue): string {
  const { message } = issue;
  if (message.endsWith('received undefined')) return 'is needed';
  switch (issue.code) {
    case 'too_small':
      return message.startsWith('Too small') ? bound('at least', issue.minimum, issue) : message;
    case 'too_big':
      return message.startsWith('Too big') ? bound('at most', issue.maximum, issue) : message;
    case 'invalid_value':
      return message.startsWith('Invalid option') ? `one of ${issue.values.map(String).join(', ')}` : message;
    default:
      return message;
  }
}

function bound(
  head: string,
  limit: number | bigint,
  { origin, inclusive }: { readonly origin: string; readonly inclusive?: boolean | undefined },
): string {
  const edge = inclusive === false ? `${head === 'at most' ? 'less' : 'more'} than` : head;
  const [one, many] = origin === 'string' ? [' character', ' characters'] : ['', ''];
  const [entry, entries] = origin === 'array' ? [' entry', ' entries'] : [one, many];
  return `${edge} ${limit}${Number(limit) === 1 ? entry : entries}`;
}
