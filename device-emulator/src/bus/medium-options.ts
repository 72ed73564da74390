import type { Clock, Random } from '@whorl/protocol';
import type { Reflecting } from './reflections.ts';

export interface MediumOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Bits a second; `undefined` on a TCP connection, where bytes take no time and cannot collide. */
  readonly baud?: number | undefined;
  /** From the last byte of a request to the first of its answer, of terminals that say nothing else. */
  readonly turnaroundMs: number;
  /** The gateway's adapter hears what it sends itself. */
  readonly echo?: boolean | undefined;
  /** A wire without terminating resistors. */
  readonly reflections?: Reflecting | undefined;
}

/** What crossed the line. */
export interface MediumCounters {
  framesToTerminals: number;
  framesToGateway: number;
  bytesToTerminals: number;
  bytesToGateway: number;
  /** Pairs of transmissions that spoilt each other. */
  collisions: number;
  /** Bits flipped by a bad cable. */
  flippedBits: number;
  noiseBytes: number;
  /** Milliseconds in which the line was driven. */
  busyMs: number;
}
