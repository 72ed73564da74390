import { codeOf, ERRORS, WhorlError } from '@whorl/protocol';
import type { ErrorCode } from '@whorl/protocol';
import { type z } from 'zod';

/** How every error is told to programs and people. */
export interface ErrorView {
  readonly code: ErrorCode | 'INTERNAL';
  readonly message: string;
  /** Where in the request. */
  readonly place?: string;
  readonly remedy: string;
}

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
    issue?.message ?? 'does not fit',
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

/** HTTP status of an error. */
export function statusOf(error: unknown): number {
  switch (codeOf(error)) {
    case 'USER_UNKNOWN':
    case 'TERMINAL_UNKNOWN':
    case 'CONFLICT_UNKNOWN':
    case 'REQUEST_UNKNOWN':
      return 404;
    case 'USER_EXISTS':
    case 'USER_CHANGED':
    case 'CONFLICT_CHANGED':
    case 'CONFLICT_DECIDED':
    case 'CONFLICT_KIND':
    case 'PAIRING_CLOSED':
    case 'PAIRING_CODE':
    case 'PAIRING_NONE':
    case 'PAIRING_TAKEN':
    case 'TERMINAL_OFFLINE':
      return 409;
    case 'REQUEST_INVALID':
    case 'IMPORT_ROW':
    case 'MESSAGE_RANGE':
      return 400;
    case undefined:
      return 500;
    default:
      return 503;
  }
}
