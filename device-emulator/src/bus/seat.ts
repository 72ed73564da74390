import type { Station } from './station.ts';
import type { SeatTrouble, Troubles } from './trouble.ts';

/** Who can speak on a wire. */
export interface Sender {
  /** When its last transmission ends. */
  freeAt: number;
}

/** A terminal's place on a wire. */
export interface Seat extends Sender {
  readonly station: Station;
  readonly turnaroundMs: number;
  readonly troubles: Troubles<SeatTrouble>;
  /** Since when it is on the line; `undefined` while it is not. */
  since: number | undefined;
  /** Until when it works on what it was asked: on a wire it hears nothing meanwhile. */
  busyUntil: number;
  /** On a connection: it has raised its hand, and has not been asked anything since. */
  raised: boolean;
}

/**
 * Whether a seat hears a transmission from its beginning: who was plugged in within it makes nothing of its rest. On a
 * wire whoever works hears nothing, for its receiver holds a few bytes; a connection keeps them until they are taken.
 * @param heard.freeBy when it must have ended its work; at the beginning unless it says
 */
export function isPresent(
  { since, busyUntil }: Seat,
  { start, freeBy = start }: { readonly start: number; readonly freeBy?: number },
  isWire: boolean,
): boolean {
  return since !== undefined && since <= start && (!isWire || busyUntil <= freeBy);
}
