import type { AskPlan, Body, Frame, MessageName } from '@whorl/protocol';
import type { Peer } from './peer.ts';
import type { Priority } from './priority.ts';

/** How a turn on the line ended. */
export type Outcome =
  /** Frames of the answer; `complete` false when more were expected. */
  | { readonly kind: 'answered'; readonly frames: readonly Frame[]; readonly complete: boolean }
  /** What is not answered is on the wire. */
  | { readonly kind: 'sent' }
  | { readonly kind: 'failed'; readonly error: Error };

/** A message to a terminal and, unless `plan` is absent, its answer. */
export interface Talk<Name extends MessageName = MessageName> {
  readonly peer: Peer;
  readonly name: Name;
  readonly body: Body<Name>;
  readonly priority: Priority;
  /** Said before there is a session: only who is there, and the handshake. */
  readonly plain: boolean;
  readonly plan?: Pick<AskPlan, 'tries' | 'frames'>;
  /** Called exactly once. */
  readonly settle: (outcome: Outcome) => void;
}

/** How a roll call ended: who was there, and whether they have logs. */
export type RollOutcome =
  | { readonly kind: 'called'; readonly present: ReadonlyMap<number, boolean> }
  | { readonly kind: 'failed'; readonly error: Error };

/** All terminals of a shared line are asked at once; each answers in its slot. */
export interface RollCall {
  /** The broadcast is sealed for all of them. */
  readonly group: Peer;
  readonly members: readonly Peer[];
  readonly body: Body<'roll.call'>;
  readonly priority: Priority;
  /** Called exactly once. */
  readonly settle: (outcome: RollOutcome) => void;
}

/** Whoever has logs may say so; hands are told to the line's watchers. */
export interface Invitation {
  readonly invitation: true;
  readonly priority: Priority;
  /** Called exactly once. */
  readonly settle: (outcome: Outcome) => void;
}

/** The wire, as another protocol has it for a time. */
export interface LentWire {
  /** @returns when the last byte will have left, by the line's clock */
  write(bytes: Uint8Array): number;
  /** Takes what comes in. */
  onBytes(listener: (bytes: Uint8Array) => void): void;
}

/** Another protocol that shares the wire has its turn, for one exchange of bounded time. */
export interface Loan {
  readonly loan: (wire: LentWire) => Promise<void>;
  readonly priority: Priority;
  /** Called exactly once. */
  readonly settle: (outcome: Outcome) => void;
}

/** One turn on the line. */
export type Job = Talk | RollCall | Invitation | Loan;
