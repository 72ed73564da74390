import { WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { z } from 'zod';
import { LOGIN } from './channel.ts';

/** Which exchange between gateways this release speaks. */
export const SITES_PROTOCOL = 1;

const base64 = z.base64().max(4096);
const name = z.string().min(1).max(64);

/** Why a login was refused; what a satellite does about each stands in satellite.ts. */
export const REFUSALS = [
  'SITES_CLASH',
  'SITES_CLONE',
  'SITES_PASSWORD',
  'SITES_RATE',
  'SITES_TOKEN',
  'SITES_UNKNOWN',
  'SITES_VERSION',
  'SITES_LINK',
] as const satisfies readonly ErrorCode[];
export type Refusal = (typeof REFUSALS)[number];

const refusal = z.strictObject({ code: z.enum(REFUSALS), text: z.string().max(400) });

/** Steps of a login, in clear: nothing in them is secret, and what matters is proven by keys. */
export const loginSchema = z.discriminatedUnion('step', [
  // Loose: another version must be understood far enough to be told so.
  z.looseObject({
    step: z.literal('hello'),
    protocol: z.int(),
    version: z.string().max(32),
    user: name,
    /** Of this try. */
    id: base64,
    /** Names the token that `noise` was made with. */
    token: z.string().max(64).optional(),
    noise: base64.optional(),
    /** A first login, by password. */
    share: base64.optional(),
  }),
  z.strictObject({ step: z.literal('share'), id: base64, share: base64 }),
  z.strictObject({ step: z.literal('proof'), id: base64, noise: base64 }),
  z.strictObject({ step: z.literal('done'), id: base64, noise: base64 }),
  // Loose as well: whatever else another version says, it is understood that it refuses.
  z.looseObject({ step: z.literal('refused'), id: base64, ...refusal.shape }),
]);
export type LoginStep = z.infer<typeof loginSchema>;
export type Hello = Extract<LoginStep, { step: 'hello' }>;

/** Said by the satellite under the key. */
export const machineSchema = z.strictObject({
  hardware: z.string().regex(/^[0-9a-f]{32}$/),
  host: z.string().max(255),
  /** Names the token that the master does not know, by which this machine would have logged in. */
  unknown: z.string().max(64).exactOptional(),
  /** Shows which session the same process had before. */
  follows: z.string().max(64).exactOptional(),
});
export type Machine = z.infer<typeof machineSchema>;

/** Answered by the master under the key. */
export const verdictSchema = z.strictObject({ refused: refusal.optional() });

export function writeLogin(step: LoginStep): Uint8Array {
  return Buffer.concat([Uint8Array.of(LOGIN), Buffer.from(JSON.stringify(step))]);
}

/** @throws WhorlError SITES_MESSAGE */
export function readLogin(bytes: Uint8Array): LoginStep {
  return readAs(loginSchema, bytes.subarray(1), 'a step of a login');
}

export function isLogin(bytes: Uint8Array): boolean {
  try {
    return readLogin(bytes).step !== 'hello';
  } catch {
    return false;
  }
}

/** @throws WhorlError SITES_MESSAGE */
export function readAs<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  what: string,
): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new WhorlError('SITES_MESSAGE', `${what} is no JSON`, { cause });
  }
  return fitting(schema, value, what);
}

/** @throws WhorlError SITES_MESSAGE */
export function fitting<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = (issue?.path ?? []).map(String).join('.');
  throw new WhorlError('SITES_MESSAGE', `${what} does not fit: ${place} ${issue?.message ?? ''}`);
}

export function encoded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

export function decoded(text: string): Uint8Array {
  return Buffer.from(text, 'base64');
}
