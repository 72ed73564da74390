import { codeOf, decodeMessage } from '@whorl/protocol';
import type { GroupEnd, Message, MessageName, Opened, Refusal, Session } from '@whorl/protocol';
import type { Call } from './call.ts';

/** The frame as the session opens it; `undefined` for one that nobody with its keys made. */
export function tryOpen(session: Session, bytes: Uint8Array): Opened | undefined {
  try {
    return session.open(bytes);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The same of a frame for all, as the session of the line opens it. */
export function tryOpenCall(session: GroupEnd, call: Call): Opened | undefined {
  try {
    return session.open(call.frame, call.shared);
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}

/** The message of a payload, or why it is refused. @param unknown messages that this firmware does not know */
export function read(
  payload: Uint8Array,
  unknown: ReadonlySet<MessageName>,
  decode = decodeMessage,
): Message | Refusal {
  try {
    const message = decode(payload);
    return unknown.has(message.name) ? 'unknown-message' : message;
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return code === 'MESSAGE_UNKNOWN' ? 'unknown-message' : 'malformed';
  }
}
