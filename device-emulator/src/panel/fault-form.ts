import type { Fault } from './shapes.ts';

/** What somebody has typed, by the name of the parameter; a number is sent as one, what is empty is not. */
export function givenOf(typed: ReadonlyMap<string, string>): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, text] of typed) if (text.trim() !== '') given[name] = text.trim();
  return given;
}

export interface Parameter {
  readonly name: string;
  readonly help: string;
  /** What it is unless given; empty when it has to be given. */
  readonly unless: string;
}

/** What a fault takes, with how long it goes on last. */
export function parametersOf({ options, parameters, lasts }: Fault): Parameter[] {
  const own = Object.entries(options).map(([name, help]) => {
    const { default: unless, anyOf } = parameters.properties[name] ?? {};
    const isTold = typeof unless === 'string' || typeof unless === 'number';
    // Only times are taken in two ways, as milliseconds and as `16ms`.
    const unit = anyOf === undefined ? '' : 'ms';
    return { name, help, unless: isTold ? `${unless}${unit}` : '' };
  });
  if (!lasts) return own;
  return [...own, { name: 'for', help: 'how long, such as 10s', unless: 'until it is put right' }];
}

/** Those whose name or sentences have all words of a search, those that are on first. */
export function sought(
  faults: readonly Fault[],
  search: string,
  active: readonly string[],
): readonly Fault[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ name, doc, field }: Fault): boolean =>
    words.every((word) => `${name} ${doc} ${field}`.toLowerCase().includes(word));
  const rank = ({ name }: Fault): number => (active.includes(name) ? 0 : 1);
  return faults.filter(fits).toSorted((one, other) => rank(one) - rank(other));
}
