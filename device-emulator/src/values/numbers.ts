import { z } from 'zod';

/** Values of actions and faults: each is taken from JSON or as the text that stands in a shell. The description is the help. */

const NUMBER = /^-?\d+(\.\d+)?(e-?\d+)?$/i;
/** As text a time has its unit: whoever types `2` means seconds. */
const DURATION = /^(?:0|\d+(?:\.\d+)?(?:ms|s|m|h|d))$/;
const SHIFT = /^(?:0|-?\d+(?:\.\d+)?(?:ms|s|m|h|d))$/;
const PARTS = /^(-?[\d.]+)([a-z]*)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_MS = 7 * 24 * 3_600_000;

/** As JSON or as text. */
export type NumberOption = z.ZodType<number, number | string>;

function number(schema: z.ZodNumber, help: string): NumberOption {
  return z
    .preprocess(
      (given: number | string) => (typeof given === 'string' && NUMBER.test(given) ? Number(given) : given),
      schema,
    )
    .describe(help);
}

/** What is said of what does not fit; of what is missing that is said elsewhere. */
function unlessMissing(text: string): (issue: { readonly input?: unknown }) => string | undefined {
  return ({ input }) => (input === undefined ? undefined : text);
}

export function whole(help: string, min: number, max: number): NumberOption {
  const error = unlessMissing(`a whole number from ${min} to ${max}`);
  return number(z.int({ error }).min(min, { error }).max(max, { error }), help);
}

export function fraction(help: string, min: number, max: number): NumberOption {
  const error = unlessMissing(`a number from ${min} to ${max}`);
  return number(z.number({ error }).min(min, { error }).max(max, { error }), help);
}

/** Milliseconds, given as such or as `16ms`, `10s`, `5m`, `2h`. */
export function duration(help: string): NumberOption {
  return z
    .union([z.number(), text(DURATION)], 'a time is written 16ms, 10s, 5m, 2h or 1d')
    .pipe(z.number().min(0).max(LONGEST_MS, 'at most seven days'))
    .describe(help);
}

/** Milliseconds from now, given as such or as `-90s`, `2h`, `-365d`. @param mostMs either way */
export function shift(help: string, mostMs: number): NumberOption {
  return z
    .union([z.number(), text(SHIFT)], 'a shift is written -90s, 5m, 2h or -365d')
    .pipe(
      z
        .number()
        .min(-mostMs, `at most ${written(mostMs)} back`)
        .max(mostMs, `at most ${written(mostMs)} ahead`),
    )
    .describe(help);
}

function text(written: RegExp): z.ZodType<number, string> {
  return z
    .string()
    .regex(written)
    .transform((given) => milliseconds(given));
}

function milliseconds(given: string): number {
  const [, count, unit = ''] = PARTS.exec(given) ?? [];
  return Number(count ?? given) * (UNITS[unit] ?? 1);
}

/** Milliseconds as they are written: `16ms`, `10s`, `-365d`. */
export function written(ms: number): string {
  const fits = Object.entries(UNITS).findLast(([, unit]) => ms !== 0 && Number.isInteger(ms / unit));
  const [name, unit] = fits ?? ['ms', 1];
  return `${ms / unit}${name}`;
}
