/** A start bit, eight data bits and a stop bit. */
const BITS_PER_BYTE = 10;

/** Milliseconds that `bytes` take on a line of `baud` bits a second, 8N1. */
export function wireMs(bytes: number, baud: number): number {
  return (bytes * BITS_PER_BYTE * 1000) / baud;
}

/** What a line does to time. TCP has no byte times: `baud` undefined. */
export interface LineTiming {
  readonly baud?: number | undefined;
  /** Longest time a terminal takes to turn from hearing to speaking. */
  readonly turnaroundMs: number;
  /** What adapters, drivers, networks and a busy machine may add to an exchange. */
  readonly latencyMs: number;
}

/** Longest time that a terminal may work on a request before it answers. */
export const WORK_MS = { memory: 5, flash: 400 } as const;

/**
 * When an answer is overdue, counted from the moment at which the request's last byte was handed to the line.
 * @param requestBytes still to leave the adapter, 0 when they are known to be out
 * @param answerBytes most that the answer may have
 */
export function answerTimeoutMs(
  timing: LineTiming,
  request: { requestBytes: number; answerBytes: number; work: keyof typeof WORK_MS },
): number {
  const bytes =
    timing.baud === undefined ? 0 : wireMs(request.requestBytes + request.answerBytes, timing.baud);
  return bytes + timing.turnaroundMs + WORK_MS[request.work] + timing.latencyMs;
}
