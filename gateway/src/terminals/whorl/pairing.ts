import {
  codeOf,
  Cpace,
  NoiseInitiator,
  pairingKey,
  PAIRING_ID_BYTES,
  prologueOf,
  sealedSession,
  WhorlError,
} from '@whorl/protocol';
import type { AnswerName, Body, Random, RequestName } from '@whorl/protocol';
import { RefusedError } from '../../lines/answer.ts';
import type { Answer } from '../../lines/answer.ts';
import type { Line } from '../../lines/line.ts';
import type { Peer } from '../../lines/peer.ts';

export interface PairingParts {
  readonly line: Line;
  readonly address: number;
  /** Throws when the terminal with this serial number may not be paired here; asked before a guess is spent. */
  readonly mayPair: (serial: string) => void;
  /** What the terminal shows, six digits. */
  readonly code: string;
  /** Makes keys: must not be guessed. */
  readonly random: Random;
}

/**
 * Pairs with the terminal at an address: both ends make a key of the code (CPace), prove it to each other (the
 * handshake of every session), and inside this session the gateway hands over a fresh key, which it answers with.
 * @throws WhorlError PAIRING_CLOSED when nobody pairs at the terminal, PAIRING_CODE when the code is another one or
 * somebody is between, EXCHANGE_*, LINE_CLOSED
 */
export async function pairTerminal(
  parts: PairingParts,
): Promise<{ readonly serial: string; readonly key: Uint8Array }> {
  const { line, address, code, random } = parts;
  const peer = line.peer(address);
  const { serial } = (await askPlain(line, peer, 'discover', {})).body;
  parts.mayPair(serial);
  const id = random.bytes(PAIRING_ID_BYTES);
  const channel = prologueOf(serial, address);
  const end = new Cpace({ code: Buffer.from(code), channel, id, secret: random.bytes(32) });
  try {
    const { share } = (await askPlain(line, peer, 'pair.begin', { id, share: end.share })).body;
    const psk = pairingKey(end.key({ share }, { begins: true }));
    const noise = new NoiseInitiator({ psk, prologue: channel, ephemeral: random.bytes(32) });
    const accepted = await askPlain(line, peer, 'pair.open', { handshake: noise.begin() });
    peer.sealed = sealedSession('gateway', noise.finish(accepted.body.handshake).keys);
    const key = random.bytes(32);
    await line.ask(peer, { name: 'pair.key', body: { key }, priority: 'command' });
    return { serial, key };
  } catch (error) {
    throw pairingError(serial, error);
  }
}

function pairingError(serial: string, error: unknown): unknown {
  if (error instanceof RefusedError && error.reason === 'not-pairing')
    return new WhorlError('PAIRING_CLOSED', `${serial} shows no code`, { cause: error });
  const code = codeOf(error);
  const refused = error instanceof RefusedError && error.reason === 'wrong-code';
  if (refused || code === 'FRAME_FORGED' || code === 'PAIRING_SHARE')
    return new WhorlError('PAIRING_CODE', `${serial} was not paired`, { cause: error });
  return error;
}

function askPlain<Name extends RequestName>(
  line: Line,
  peer: Peer,
  name: Name,
  body: Body<Name>,
): Promise<Answer<AnswerName<Name>>> {
  return line.ask(peer, { name, body, priority: 'command', plain: true });
}
