import { codeOf, ERRORS, WhorlError, wording } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { z } from 'zod';

/** How every error is told to programs and people. */
export const errorViewSchema = z.strictObject({
  code: z.string().describe('To search for: a code of protocol/src/errors.ts, or INTERNAL.'),
  message: z.string(),
  place: z.string().optional().describe('Where in the request.'),
  remedy: z.string().describe('What to do about it.'),
});
export type ErrorView = z.infer<typeof errorViewSchema>;

/** A request that does not fit, with the place. */
export class RequestError extends WhorlError {
  readonly place: string;

  constructor(place: string, text: string) {
    super('REQUEST_INVALID', `${place}: ${text}`);
    this.place = place;
  }
}

/** Checks what came from outside. @throws RequestError naming the first place that does not fit */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RequestError(
    [what, ...(issue?.path ?? [])].map(String).join('.'),
    issue === undefined ? 'does not fit' : wording(issue, value),
  );
}

/** Tells an error; one that is none of ours keeps its text to itself. */
export function errorView(error: unknown): ErrorView {
  if (error instanceof RequestError)
    return { code: error.code, message: error.message, place: error.place, remedy: error.remedy };
  if (error instanceof WhorlError)
    return { code: error.code, message: error.message, remedy: ERRORS[error.code] };
  return {
    code: 'INTERNAL',
    message: 'The gateway failed on this request; its log says more.',
    remedy: 'Repeat it; if it fails again, report what the log says.',
  };
}

/** What is the caller's to mend; all else is the gateway's, and may be over in a moment. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  IMPORT_ROW: 400,
  MESSAGE_RANGE: 400,
  PASSWORD_WEAK: 400,
  OPERATOR_PIN: 400,
  SITE_UNKNOWN: 400,
  TASK_FILE_SIZE: 400,
  AUTH_NEEDED: 401,
  AUTH_EXPIRED: 401,
  AUTH_WRONG: 401,
  SETUP_CODE: 401,
  AUTH_ROLE: 403,
  REQUEST_SIZE: 413,
  REQUEST_UNKNOWN: 404,
  USER_UNKNOWN: 404,
  LINE_UNKNOWN: 404,
  TERMINAL_UNKNOWN: 404,
  ACCOUNT_UNKNOWN: 404,
  CONFLICT_UNKNOWN: 404,
  TOKEN_UNKNOWN: 404,
  OPERATOR_UNKNOWN: 404,
  SYNC_UNKNOWN: 404,
  TASK_FILE_UNKNOWN: 404,
  TASK_UNKNOWN: 404,
  JOB_UNKNOWN: 404,
  JOB_OVER: 409,
  JOB_MANY: 429,
  USER_EXISTS: 409,
  USER_CHANGED: 409,
  ACCOUNT_EXISTS: 409,
  ACCOUNT_LAST: 409,
  SETUP_DONE: 409,
  PAIRING_CLOSED: 409,
  PAIRING_CODE: 409,
  PAIRING_NONE: 409,
  PAIRING_TAKEN: 409,
  CONFLICT_CHANGED: 409,
  CONFLICT_DECIDED: 409,
  CONFLICT_KIND: 409,
  GUARD_CHANGED: 409,
  GUARD_EXCEEDED: 409,
  TERMINAL_OFFLINE: 409,
  TERMINAL_PORTABLE: 409,
  OPERATOR_USED: 409,
  SITES_AWAY: 409,
  SITES_CODE: 403,
  SITES_CODE_NONE: 409,
  SITES_CODE_RATE: 403,
  SITES_CODE_WEAK: 400,
  SITES_EXISTS: 409,
  SITES_LOCKED: 403,
  SITES_OWNED: 409,
  SITES_ROLE: 409,
  SITES_UNKNOWN: 404,
  SYNC_NONE: 409,
  TASK_FILE_USED: 409,
  VAULT_NEXT_KEY: 409,
  VAULT_SHARED: 409,
  VAULT_ROTATING: 409,
  MEMBER_ELSEWHERE: 421,
  REQUEST_RATE: 429,
};

/** HTTP status of an error. */
export function statusOf(error: unknown): number {
  const code = codeOf(error);
  return code === undefined ? 500 : (STATUS[code] ?? 503);
}
