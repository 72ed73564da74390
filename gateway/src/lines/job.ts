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

/** One turn on the line: a message to a terminal and, unless `plan` is absent, its answer. */
export interface Job<Name extends MessageName = MessageName> {
  readonly peer: Peer;
  readonly name: Name;
  readonly body: Body<Name>;
  readonly priority: Priority;
  readonly plan?: Omit<AskPlan, 'timeoutMs' | 'nextMs'>;
  /** Called exactly once. */
  readonly settle: (outcome: Outcome) => void;
}
