import type { Capabilities } from '@whorl/protocol';
import type { QuirkName } from './quirks.ts';

/** What a terminal is by its making. */
export interface Model {
  readonly name: string;
  readonly firmware: string;
  readonly capabilities: Capabilities;
  /** Bytes of what its readers make: one finger template (a finger has two), a face template, a card number. */
  readonly sizes: { readonly finger: number; readonly face: number; readonly card: number };
  /** Of what its readers make, percent. */
  readonly quality: { readonly worst: number; readonly best: number };
  /** From power on until it answers, milliseconds. */
  readonly bootMs: number;
  /** From the last byte of a request to the first of its answer, milliseconds; the line's when not given. */
  readonly turnaroundMs?: number | undefined;
  /** To store one user, milliseconds; it answers afterwards. */
  readonly storeMs: number;
  /** To reckon with keys, once for each step of a handshake, milliseconds. */
  readonly computeMs: number;
  /** Millionths by which its clock is fast when it is new; negative when slow. */
  readonly driftPpm: number;
  /** What its firmware does otherwise than it should. */
  readonly quirks: ReadonlySet<QuirkName>;
}
