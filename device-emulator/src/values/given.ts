import { WhorlError, wording } from '@whorl/protocol';
import { z } from 'zod';
import { suggest } from './suggest.ts';

/** Options by name, each with its help as description. */
export type Shape = Readonly<Record<string, z.ZodType>>;

/** Options as a caller writes them. */
export type Written<Of extends Shape> = z.input<z.ZodObject<Of, z.core.$strict>>;

export type Given<Of extends Shape> = z.output<z.ZodObject<Of, z.core.$strict>>;

/** A request that is not one. */
export class RequestError extends WhorlError {
  /** The member that is wrong; empty when it is the whole request. */
  readonly place: string;

  constructor(
    place: string,
    message: string,
    code: 'CONTROL_REQUEST' | 'CONTROL_UNKNOWN' = 'CONTROL_REQUEST',
  ) {
    super(code, message);
    this.place = place;
  }
}

/** Help by name of the option. */
export function helpOf(shape: Shape): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(shape).map(([key, one]) => [key, helpFor(one)]));
}

/** What is said of an option, or of what it is when it is given. */
function helpFor(option: z.ZodType): string {
  if (option.description !== undefined) return option.description;
  const isWrapped = option instanceof z.ZodDefault || option instanceof z.ZodOptional;
  const inner: unknown = isWrapped ? option.def.innerType : undefined;
  return inner instanceof z.ZodType ? helpFor(inner) : '';
}

/**
 * Makes what reads options.
 * @returns a function that throws WhorlError CONTROL_REQUEST as {@link RequestError}
 */
export function reader<Of extends Shape>(shape: Of): (given: unknown) => Given<Of> {
  const schema = z.strictObject(shape);
  return (given) => {
    const parsed = schema.safeParse(given);
    if (!parsed.success) throw wrong(parsed.error.issues, Object.keys(shape));
    return parsed.data;
  };
}

/** What does not fit, in words. */
export function wrong(issues: readonly z.core.$ZodIssue[], known: readonly string[]): RequestError {
  const told = issues.map((issue) => {
    // So it stands in an address that says it twice.
    if (issue.message.endsWith('expected string, received array'))
      return { place: issue.path.join('.'), message: `${issue.path.join('.')}: is given more than once` };
    if (issue.code !== 'unrecognized_keys')
      return {
        place: issue.path.join('.'),
        message: `${issue.path.join('.') || 'request'}: ${wording(issue)}`,
      };
    const [key = ''] = issue.keys;
    const hint = known.length === 0 ? 'there are no options' : suggest(key, known);
    return { place: key, message: `${key}: unknown option; ${hint}` };
  });
  return new RequestError(told[0]?.place ?? '', [...new Set(told.map(({ message }) => message))].join('; '));
}
