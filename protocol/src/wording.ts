import type { z } from 'zod';
import { nearest } from './nearest.ts';

/** A choice of more than these is not listed. */
const MOST_LISTED = 12;

/**
 * What does not fit, for people: the schema's own words where it has some, else the rule.
 * @param value all that was looked at; the issue names a place in it, whose value a long list of choices is held against
 */
export function wording(issue: z.core.$ZodIssue, value?: unknown): string {
  const { message } = issue;
  if (message.endsWith('received undefined')) return 'is needed';
  switch (issue.code) {
    case 'too_small':
      return message.startsWith('Too small') ? bound('at least', issue.minimum, issue) : message;
    case 'too_big':
      return message.startsWith('Too big') ? bound('at most', issue.maximum, issue) : message;
    case 'invalid_value':
      return message.startsWith('Invalid option')
        ? choice(issue.values.map(String), at(value, issue.path))
        : message;
    case 'invalid_type':
      return message.endsWith('expected number, received NaN') ? 'not a number' : message;
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
  const unit = origin === 'string' ? 'character' : origin === 'array' ? 'entry' : undefined;
  if (unit === undefined) return `${edge} ${limit}`;
  const many = unit === 'entry' ? 'entries' : `${unit}s`;
  return limit === 1 ? `${edge} 1 ${unit}` : `${edge} ${limit} ${many}`;
}

function choice(known: readonly string[], given: unknown): string {
  if (known.length <= MOST_LISTED) return `one of ${known.join(', ')}`;
  const near = typeof given === 'string' ? nearest(given, known) : undefined;
  return near === undefined
    ? `one of ${known.join(', ')}`
    : `there is none of this name; did you mean ${near}?`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (part, key) => (typeof part === 'object' && part !== null ? Reflect.get(part, key) : undefined),
    value,
  );
}
