/**
 * Every error that Whorl raises, in one table: what happened, and what to do about it.
 * Search a code here to find its meaning; search it in the code to find where it is raised.
 */
export const ERRORS = {
  // What arrives on a wire.
  FRAME_TOO_SHORT:
    'A frame ended before its header and trailer were complete. Usually noise: check cable and termination.',
  FRAME_TOO_LONG:
    'More bytes than a frame may have arrived without a delimiter. Check baud rate, wiring and termination.',
  FRAME_COBS:
    'The bytes between two delimiters are not valid COBS. Usually noise: check cable and termination.',
  FRAME_CHECKSUM:
    'The checksum of a frame does not match its bytes. Usually noise: check cable and termination.',
  FRAME_VERSION: 'A frame has a version this release does not speak. Update the older side.',
  FRAME_SEALED:
    'A frame is sealed (or plain) where the session expects the opposite. Pair the terminal again.',
  MESSAGE_UNKNOWN: 'A message type is not in the catalogue. Update the older side.',
  MESSAGE_SHORT: 'A message ended inside a field.',
  MESSAGE_LONG: 'A message has bytes after its last field.',
  MESSAGE_RANGE: 'A field holds a value outside its range.',
  USER_ORDER: 'The fields of a user record are not in ascending order, or one appears twice.',
  USER_FIELD: 'A user record has a field number that this release does not know.',
  USER_EMPTY: 'A user record lacks its id.',
  TRANSFER_DIGEST: 'A transferred object does not match its digest. It is transferred again.',
  TRANSFER_UNKNOWN: 'A chunk or commit names a transfer that was never begun.',
  TRANSFER_SIZE: 'A transferred object is larger than the receiver takes, or a chunk lies outside it.',
  EXCHANGE_TIMEOUT:
    'The terminal did not answer in time, repeats included. Check its power, address and wiring.',
  EXCHANGE_REFUSED: 'The terminal refused the request; the reason it gave is in the message.',
  EXCHANGE_UNEXPECTED:
    'The terminal answered with a message that does not belong to the request. Update the older side.',
  // Time.
  ABORTED: 'The work was cancelled before it ended.',
} as const satisfies Record<string, string>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code to search for and, in its message, the place and what to do. */
export class WhorlError extends Error {
  override readonly name = 'WhorlError';
  readonly code: ErrorCode;

  /**
   * @param code a row of {@link ERRORS}
   * @param detail what and where, in the words of this one case; the row's text follows it
   */
  constructor(code: ErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
  }

  /** What to do about it: the row's text. */
  get remedy(): string {
    return ERRORS[this.code];
  }
}

/** The code of any thrown value, for counters and answers; `undefined` when it is none of ours. */
export function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof WhorlError ? error.code : undefined;
}

/** One line for people: `CODE: detail`, for any thrown value. */
export function describe(error: unknown): string {
  if (error instanceof WhorlError) return `${error.code}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
