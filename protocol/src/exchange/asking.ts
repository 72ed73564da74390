/**
 * One request and its answer, as a pure machine: (state, input) → (state, output). The owner of the line feeds it what
 * happened and does what it says; it knows neither wire nor clock.
 *
 * ```text
 *            written            answer, complete
 *  writing ───────────► waiting ─────────────────► settled
 *     ▲                    │ │ answer, more to come; garbled
 *     │   overdue, tries   │ └──► waiting, later deadline; earlier deadline
 *     └────────────────────┤
 *                          └────► settled (timeout) when no try is left
 * ```
 */
export interface AskPlan {
  /** Times that the request is sent at most. */
  readonly tries: number;
  /** Frames that a complete answer has; more than one for a fetch of chunks. */
  readonly frames: number;
  /** Patience for the first frame of the answer, from the end of writing. */
  readonly timeoutMs: number;
  /** Patience for each further one, from the one before. */
  readonly nextMs: number;
  /** Patience after something that could not be understood: mostly it was the answer. */
  readonly garbledMs: number;
}

export type AskState =
  | { readonly kind: 'writing'; readonly attempt: number }
  | { readonly kind: 'waiting'; readonly attempt: number; readonly got: number; readonly deadline: number }
  | { readonly kind: 'settled' };

export type AskInput =
  | { readonly kind: 'written'; readonly now: number }
  /** A frame with this request's address and sequence; `final` ends the answer whatever the count (a refusal). */
  | { readonly kind: 'answer'; readonly now: number; readonly final: boolean }
  /** On a shared line something came in that is no sound frame. */
  | { readonly kind: 'garbled'; readonly now: number }
  | { readonly kind: 'overdue'; readonly now: number };

export type AskOutput =
  | { readonly kind: 'wait'; readonly deadline: number }
  | { readonly kind: 'write' }
  /** `complete` false: what came is all there is; the asker asks again for the rest. */
  | { readonly kind: 'answered'; readonly complete: boolean }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'nothing' };

export interface AskStep {
  readonly state: AskState;
  readonly output: AskOutput;
}

export const ASK_START: AskState = { kind: 'writing', attempt: 1 };

const SETTLED: AskState = { kind: 'settled' };
const NOTHING: AskOutput = { kind: 'nothing' };

/** The next state, and what the owner of the line does now. */
export function ask(plan: AskPlan, state: AskState, input: AskInput): AskStep {
  switch (input.kind) {
    case 'written':
      return state.kind === 'writing'
        ? waiting(state.attempt, 0, input.now + plan.timeoutMs)
        : { state, output: NOTHING };
    case 'answer':
      return state.kind === 'settled' ? { state, output: NOTHING } : answered(plan, state, input);
    case 'garbled':
      return state.kind === 'waiting'
        ? waiting(state.attempt, state.got, Math.min(state.deadline, input.now + plan.garbledMs))
        : { state, output: NOTHING };
    case 'overdue':
      return state.kind === 'waiting' && input.now >= state.deadline
        ? overdue(plan, state)
        : { state, output: NOTHING };
  }
}

function waiting(attempt: number, got: number, deadline: number): AskStep {
  return { state: { kind: 'waiting', attempt, got, deadline }, output: { kind: 'wait', deadline } };
}

function answered(
  plan: AskPlan,
  state: Exclude<AskState, { kind: 'settled' }>,
  input: { now: number; final: boolean },
): AskStep {
  const got = (state.kind === 'waiting' ? state.got : 0) + 1;
  if (input.final || got >= plan.frames)
    return { state: SETTLED, output: { kind: 'answered', complete: true } };
  return waiting(state.attempt, got, input.now + plan.nextMs);
}

function overdue(plan: AskPlan, state: Extract<AskState, { kind: 'waiting' }>): AskStep {
  if (state.got > 0) return { state: SETTLED, output: { kind: 'answered', complete: false } };
  if (state.attempt >= plan.tries) return { state: SETTLED, output: { kind: 'timeout' } };
  return { state: { kind: 'writing', attempt: state.attempt + 1 }, output: { kind: 'write' } };
}
