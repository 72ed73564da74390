import { keyId, NoiseInitiator, prologueOf, sameBytes, sealedSession } from '@whorl/protocol';
import type { AnswerName, Body, Random, RequestName } from '@whorl/protocol';
import type { Answer } from '../../lines/answer.ts';
import type { Line } from '../../lines/line.ts';
import type { Peer } from '../../lines/peer.ts';
import type { Gate } from '../../lines/gate.ts';
import type { KeyRing } from './key-ring.ts';

/** How a greeting ended, when somebody answered. */
export type Greeting =
  | { readonly kind: 'greeted'; readonly welcome: Body<'welcome'>; readonly attention: boolean }
  /** It is there and gets nothing. */
  | { readonly kind: 'quarantined'; readonly serial: string; readonly reason: string };

export interface GreetingParts {
  /** Name of the terminal that should answer. */
  readonly terminal: string;
  readonly line: Line;
  readonly peer: Peer;
  readonly keys: KeyRing;
  /** Makes keys: must not be guessed. */
  readonly random: Random;
  /** To the handshakes of terminals that have connections for themselves: on a wire, its bytes take longer than they do. */
  readonly handshakes: Gate;
}

/**
 * Opens a session with a terminal: asks who is there, proves to each other that both have the pairing key, and asks
 * inside the session how the terminal stands. What is said in plain is not believed until the handshake has proven it.
 * @throws WhorlError EXCHANGE_*, LINE_CLOSED, FRAME_FORGED
 */
export async function greet(parts: GreetingParts): Promise<Greeting> {
  const { terminal, line, peer, keys, handshakes } = parts;
  const present = await askPlain(line, peer, 'discover', {}, 1);
  const { serial } = present.body;
  const pairing = keys.of(serial);
  if (pairing === undefined) return { kind: 'quarantined', serial, reason: `${serial} is not paired` };
  const { key } = pairing;
  if (pairing.terminal !== terminal)
    return { kind: 'quarantined', serial, reason: `${serial} is paired as ${pairing.terminal}` };
  if (!sameBytes(keyId(key), present.body.key))
    return { kind: 'quarantined', serial, reason: `${serial} has lost its pairing, or is not what it says` };
  const open = (): Promise<Greeting> => openSession(parts, serial, key);
  return line.timing.baud === undefined ? handshakes.through(open) : open();
}

async function openSession(
  { line, peer, random }: GreetingParts,
  serial: string,
  psk: Uint8Array,
): Promise<Greeting> {
  const prologue = prologueOf(serial, peer.address);
  const noise = new NoiseInitiator({ psk, prologue, ephemeral: random.bytes(32) });
  const accepted = await askPlain(line, peer, 'session.open', { handshake: noise.begin() }, 2);
  peer.sealed = sealedSession('gateway', noise.finish(accepted.body.handshake).keys);
  const hello = await line.ask(peer, { name: 'hello', body: {}, priority: 'live' });
  return { kind: 'greeted', welcome: hello.body, attention: hello.attention };
}

function askPlain<Name extends RequestName>(
  line: Line,
  peer: Peer,
  name: Name,
  body: Body<Name>,
  tries: number,
): Promise<Answer<AnswerName<Name>>> {
  return line.ask(peer, { name, body, priority: 'live', plain: true }, { tries });
}
