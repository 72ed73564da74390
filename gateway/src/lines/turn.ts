import type { AskPlan, AskState, Cancel, Frame, Session } from '@whorl/protocol';
import type { Talk } from './job.ts';

/** An exchange with a terminal under way. */
export interface Turn {
  readonly job: Talk;
  readonly session: Session;
  readonly plan: AskPlan;
  readonly sequence: number;
  readonly wire: Uint8Array;
  readonly frames: Frame[];
  readonly began: number;
  state: AskState;
  timer: Cancel | undefined;
}
