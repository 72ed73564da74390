import { codeOf, prologueOf, respond, sealedSession } from '@whorl/protocol';
import type { Body, Random, Session, TrafficKeys } from '@whorl/protocol';
import type { Store } from './store.ts';

/** Takes the keys of a terminal that was made to tell them: for test rigs. */
export type TellKeys = (keys: TrafficKeys) => void;

export interface HandshakeParts {
  readonly serial: string;
  readonly address: number;
  readonly store: Store;
  readonly random: Random;
  readonly tellKeys?: TellKeys | undefined;
}

/**
 * Answers a gateway that opens a session under the pairing key.
 * @returns `undefined` for one that does not have the key, and at a terminal that has none
 */
export function accept(
  parts: HandshakeParts,
  open: Body<'session.open'>,
): { readonly answer: Uint8Array; readonly session: Session } | undefined {
  const { key } = parts.store.state;
  if (key === undefined) return undefined;
  const prologue = prologueOf(parts.serial, parts.address);
  try {
    const ephemeral = parts.random.bytes(32);
    const { answer, keys } = respond({ psk: key, prologue, ephemeral }, open.handshake);
    parts.tellKeys?.({ kind: 'session', address: parts.address, forth: keys.forth, back: keys.back });
    return { answer, session: sealedSession('terminal', keys) };
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}
