import { CATALOGUE, decodeMessage, WhorlError } from '@whorl/protocol';
import type { AnswerName, Body, Frame, MessageName, Refusal, RequestName } from '@whorl/protocol';
import type { Outcome } from './job.ts';

/** A terminal's answer. */
export interface Answer<Name extends MessageName> {
  readonly body: Body<Name>;
  /** The terminal has logs that the gateway has not read. */
  readonly attention: boolean;
}

/** A refusal, with the terminal's reason to act on. */
export class RefusedError extends WhorlError {
  readonly reason: Refusal;

  constructor(request: string, address: number, reason: Refusal) {
    super('EXCHANGE_REFUSED', `address ${address} refused ${request}: ${reason}`);
    this.reason = reason;
  }
}

/**
 * The message that answers a request.
 * @throws RefusedError; WhorlError EXCHANGE_UNEXPECTED, MESSAGE_*
 */
export function answerOf<Name extends RequestName>(
  request: Name,
  outcome: Outcome,
): Answer<AnswerName<Name>> {
  const frame: Frame | undefined = outcome.kind === 'answered' ? outcome.frames[0] : undefined;
  if (frame === undefined) throw new WhorlError('EXCHANGE_UNEXPECTED', `no answer to ${request}`);
  const message = decodeMessage(frame.payload);
  if (message.name === 'refused') throw new RefusedError(request, frame.address, message.body.reason);
  const expected: AnswerName<Name> = CATALOGUE[request].answer;
  if (message.name !== expected) {
    throw new WhorlError(
      'EXCHANGE_UNEXPECTED',
      `address ${frame.address} answered ${request} with ${message.name}`,
    );
  }
  return { body: message.body, attention: frame.attention };
}
