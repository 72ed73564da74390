import type { Terminal } from '@whorl/device-emulator';
import {
  codeOf,
  Cpace,
  decodeMessage,
  NoiseInitiator,
  pairingKey,
  plainSession,
  prologueOf,
  respond,
  sealedSession,
  toWire,
  unstuff,
} from '@whorl/protocol';
import type { Body, Message, MessageName, Random, SealedEnd, Session } from '@whorl/protocol';
import type { Act, Crossing, Instead } from '../rig/between.ts';

export interface ManParts {
  readonly terminal: Terminal;
  /** What he takes the code to be. */
  readonly code: string;
  readonly random: Random;
}

/**
 * A man in the middle of a pairing: to the gateway he is the terminal, to the terminal the gateway; he speaks CPace and
 * Noise with both, under the code that he guessed.
 */
export class PairingMan {
  readonly #parts: ManParts;
  readonly #channel: Uint8Array;
  #atGateway: { readonly psk: Uint8Array; session?: Session } | undefined;
  #atTerminal: SealedEnd | undefined;
  #asked = 0;
  /** The pairing key, once he has it. */
  key: Uint8Array | undefined;

  constructor(parts: ManParts) {
    this.#parts = parts;
    this.#channel = prologueOf(parts.terminal.serial, parts.terminal.address);
  }

  readonly act: Act = (crossing) => {
    const { terminal } = this.#parts;
    if (crossing.frame[1] !== terminal.address || !crossing.fromGateway) return undefined;
    const message = this.#read(crossing);
    switch (message?.name) {
      case 'pair.begin':
        return this.#begin(crossing, message.body);
      case 'pair.open':
        return this.#open(crossing, message.body);
      case 'pair.key':
        return this.#take(crossing, message.body);
      default:
        return undefined;
    }
  };

  #read({ frame }: Crossing): Message | undefined {
    try {
      return decodeMessage((this.#atGateway?.session ?? plainSession).open(frame).payload);
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      return undefined;
    }
  }

  #begin(crossing: Crossing, { id, share }: Body<'pair.begin'>): Instead {
    const { random, code } = this.#parts;
    const parts = { code: Buffer.from(code), channel: this.#channel, secret: random.bytes(32) };
    const end = new Cpace({ ...parts, id });
    this.#atGateway = { psk: pairingKey(end.key({ share }, { begins: false })) };
    this.#pairTerminal();
    return answer(plainSession, crossing, 'pair.share', { share: end.share });
  }

  /** With the terminal he does the same at once. */
  #pairTerminal(): void {
    const { random, code } = this.#parts;
    const id = random.bytes(16);
    const secret = random.bytes(32);
    const end = new Cpace({ code: Buffer.from(code), channel: this.#channel, id, secret });
    const shared = this.#ask(plainSession, 'pair.begin', { id, share: end.share });
    if (shared?.name !== 'pair.share') return;
    const psk = pairingKey(end.key({ share: shared.body.share }, { begins: true }));
    const noise = new NoiseInitiator({ psk, prologue: this.#channel, ephemeral: random.bytes(32) });
    const accepted = this.#ask(plainSession, 'pair.open', { handshake: noise.begin() });
    if (accepted?.name === 'pair.accept')
      this.#atTerminal = sealedSession('gateway', noise.finish(accepted.body.handshake).keys);
  }

  #open(crossing: Crossing, { handshake }: Body<'pair.open'>): Instead {
    const { random } = this.#parts;
    const psk = this.#atGateway?.psk ?? new Uint8Array(32);
    const parts = { psk, prologue: this.#channel, ephemeral: random.bytes(32) };
    try {
      const { answer: proof, keys } = respond(parts, handshake);
      this.#atGateway = { psk, session: sealedSession('terminal', keys) };
      return answer(plainSession, crossing, 'pair.accept', { handshake: proof });
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      // He has guessed wrong, and can prove nothing; silence would tell as much.
      return answer(plainSession, crossing, 'pair.accept', { handshake: new NoiseInitiator(parts).begin() });
    }
  }

  #take(crossing: Crossing, { key }: Body<'pair.key'>): Instead | undefined {
    const { session } = this.#atGateway ?? {};
    if (session === undefined || this.#atTerminal === undefined) return undefined;
    this.key = new Uint8Array(key);
    this.#ask(this.#atTerminal, 'pair.key', { key: this.key });
    return answer(session, crossing, 'pair.kept', {});
  }

  #ask<Name extends MessageName>(session: Session, name: Name, body: Body<Name>): Message | undefined {
    const { terminal } = this.#parts;
    const sequence = session === this.#atTerminal ? this.#atTerminal.nextSequence() : (this.#asked += 1);
    const header = { address: terminal.address, sequence, fromTerminal: false, attention: false };
    const [wire] = terminal.hear(toWire(session, header, name, body).subarray(0, -1));
    return wire === undefined
      ? undefined
      : decodeMessage(session.open(unstuff(wire.subarray(0, -1))).payload);
  }
}

/** Back to the gateway, as if the terminal had said it. */
function answer<Name extends MessageName>(
  session: Session,
  { frame }: Crossing,
  name: Name,
  body: Body<Name>,
): Instead {
  const sequence = (frame[2] ?? 0) | ((frame[3] ?? 0) << 8);
  const header = { address: frame[1] ?? 0, sequence, fromTerminal: true, attention: false };
  return { back: [unstuff(toWire(session, header, name, body).subarray(0, -1))] };
}
