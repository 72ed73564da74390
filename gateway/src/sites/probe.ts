import { codeOf, ERRORS, textOf, WhorlError } from '@whorl/protocol';
import type { Clock, ErrorCode } from '@whorl/protocol';
import { z } from 'zod';
import { apartText, CLOCK_MS } from './clocks.ts';

/** What one step of a look at a connection came to. */
export const probeSchema = z.strictObject({
  step: z.string(),
  state: z.enum(['ok', 'failed', 'skipped']),
  text: z.string().describe('What was found.'),
  ms: z.int().exactOptional().describe('How long it took.'),
  code: z.string().exactOptional().describe('Of a failed one.'),
  remedy: z.string().exactOptional().describe('What to do about a failed one.'),
});
export type Probe = z.infer<typeof probeSchema>;

/** One step: what it is called, and how it is tried. */
export interface ProbeStep {
  readonly step: string;
  /** @returns what was found. @throws WhorlError when it failed */
  readonly look: (signal: AbortSignal) => Promise<string>;
  /** The steps behind it are looked at also when this one failed. */
  readonly alone?: boolean;
  /** It was tried before its turn: whether it takes time of its own is not known. */
  readonly untimed?: boolean;
}

/** Longest that a step may take. */
const STEP_MS = 20_000;

/** Looks at one step after the other; behind one that failed the others make no sense and are left out. */
export async function probe(clock: Clock, steps: readonly ProbeStep[]): Promise<readonly Probe[]> {
  const probes: Probe[] = [];
  let failed: string | undefined;
  for (const one of steps) {
    if (failed !== undefined) {
      probes.push({ step: one.step, state: 'skipped', text: `not before ${failed} is mended` });
      continue;
    }
    const found = await look(clock, one);
    probes.push(found);
    if (found.state === 'failed' && one.alone !== true) failed = one.step;
  }
  return probes;
}

async function look(clock: Clock, { step, look: how, untimed }: ProbeStep): Promise<Probe> {
  const began = clock.now();
  const giveUp = new AbortController();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(STEP_MS, () => {
    late.reject(new WhorlError('SITES_LINK', `no answer within ${STEP_MS / 1000} s`));
    giveUp.abort();
  });
  try {
    const text = await Promise.race([how(giveUp.signal), late.promise]);
    const ms = Math.round(clock.now() - began);
    return { step, state: 'ok', text, ...(untimed === true ? {} : { ms }) };
  } catch (error) {
    const code = codeOf(error);
    const known = { code: code ?? 'INTERNAL', remedy: remedyOf(code) };
    return { step, state: 'failed', text: textOf(error), ms: Math.round(clock.now() - began), ...known };
  } finally {
    cancel();
  }
}

function remedyOf(code: ErrorCode | undefined): string {
  return code === undefined ? 'The log of the gateway says more.' : ERRORS[code];
}

/**
 * What the clock of another gateway is worth.
 * @param apartMs how much it is ahead of one's own
 * @throws WhorlError SITES_CLOCK
 */
export function clockText(apartMs: number): string {
  const text = apartText(apartMs);
  if (Math.abs(apartMs) > CLOCK_MS) throw new WhorlError('SITES_CLOCK', `the other clock is ${text}`);
  return text;
}
