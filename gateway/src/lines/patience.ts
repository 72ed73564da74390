import { answerTimeoutMs, MTU_MAX, rowOf, wireMs } from '@whorl/protocol';
import type { AskPlan, LineTiming, MessageName } from '@whorl/protocol';

/** Most bytes of an answer that is not among the long ones. */
const SHORT_ANSWER_BYTES = 64;

const LONG_ANSWERS: ReadonlySet<MessageName> = new Set([
  'hello',
  'logs.read',
  'users.digests',
  'sketch.read',
  'transfer.fetch',
  'transfer.commit',
  'transfer.ask',
  'transfer.begin',
  'journal.read',
  'files.read',
]);

/** How long an answer of so many frames to this request is awaited on a line. */
export function patience(
  timing: LineTiming,
  name: MessageName,
  frames: number,
): Pick<AskPlan, 'timeoutMs' | 'nextMs' | 'garbledMs'> {
  const answerBytes = frames > 1 || LONG_ANSWERS.has(name) ? MTU_MAX : SHORT_ANSWER_BYTES;
  const work = rowOf(name).work ?? 'memory';
  return {
    timeoutMs: answerTimeoutMs(timing, { requestBytes: 0, answerBytes, work }),
    nextMs: answerTimeoutMs(timing, { requestBytes: 0, answerBytes, work: 'memory' }),
    garbledMs: slotPatienceMs(timing, SHORT_ANSWER_BYTES),
  };
}

/** What an adapter and a busy machine may add between two things that are said one after the other. */
const JITTER_MS = 4;

/** How long the line is left to a terminal that may say so many bytes at once, milliseconds. */
export function slotPatienceMs(timing: LineTiming, bytes: number): number {
  const byteTimes = timing.baud === undefined ? 0 : wireMs(bytes, timing.baud);
  return timing.turnaroundMs + byteTimes + Math.min(timing.latencyMs, JITTER_MS);
}
