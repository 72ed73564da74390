import { Cpace, codeOf, pairingKey, prologueOf, respond, sealedSession } from '@whorl/protocol';
import type { Body, Clock, Random, Session } from '@whorl/protocol';
import type { TellKeys } from './handshake.ts';
import type { TellNoticed } from './noticed.ts';

/** Somebody who pairs stands at the terminal: two minutes are enough. */
const WINDOW_MS = 120_000;
/** Guesses of a code of six digits. */
const TRIES = 3;

interface Window {
  readonly code: string;
  /** On the terminal's own clock of the line, milliseconds. */
  readonly until: number;
  tries: number;
}

export interface PairingParts {
  readonly serial: string;
  readonly address: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly tellKeys?: TellKeys | undefined;
  /** Told when the display shows something else. */
  readonly tell?: TellNoticed;
}

/** What a terminal shows while somebody pairs it. */
export type PairingDisplay =
  | { readonly kind: 'closed' }
  | { readonly kind: 'open'; readonly code: string; readonly tries: number }
  /** `failed`: nobody had the code, or somebody is between. */
  | { readonly kind: 'paired' | 'failed' };

/**
 * Pairing at the terminal: a deliberate act, with a window of time. The display shows a code, which whoever pairs types
 * at the gateway; both ends make a key of it that nobody on the line can make.
 */
export class Pairing {
  readonly #parts: PairingParts;
  #window: Window | undefined;
  #last: 'closed' | 'paired' | 'failed' = 'closed';
  #key: Uint8Array | undefined;

  constructor(parts: PairingParts) {
    this.#parts = parts;
  }

  /** Opens the window. @returns the code, six digits */
  open(): string {
    const { clock, random } = this.#parts;
    const code = random.below(1_000_000).toString().padStart(6, '0');
    this.#window = { code, until: clock.now() + WINDOW_MS, tries: TRIES };
    this.#key = undefined;
    this.#parts.tell?.({ kind: 'shown' });
    return code;
  }

  get display(): PairingDisplay {
    const window = this.#current();
    if (window === undefined) return { kind: this.#last };
    return { kind: 'open', code: window.code, tries: window.tries };
  }

  /** A gateway begins: each beginning is a guess. @returns `undefined` when nobody pairs here */
  begin({ id, share }: Body<'pair.begin'>): Uint8Array | undefined {
    const window = this.#current();
    if (window === undefined) return undefined;
    window.tries -= 1;
    const { serial, address, random } = this.#parts;
    const channel = prologueOf(serial, address);
    const end = new Cpace({ code: Buffer.from(window.code), channel, id, secret: random.bytes(32) });
    try {
      this.#key = pairingKey(end.key({ share }, { begins: false }));
      return end.share;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      this.#failed();
      return undefined;
    }
  }

  /** The gateway proves that it has the same code. @returns `undefined` when it has not */
  accept(message: Uint8Array): { readonly answer: Uint8Array; readonly session: Session } | undefined {
    const key = this.#key;
    this.#key = undefined;
    if (key === undefined) return undefined;
    const { serial, address, random, tellKeys } = this.#parts;
    try {
      const prologue = prologueOf(serial, address);
      const { answer, keys } = respond({ psk: key, prologue, ephemeral: random.bytes(32) }, message);
      tellKeys?.({ kind: 'session', address, forth: keys.forth, back: keys.back });
      return { answer, session: sealedSession('terminal', keys) };
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      this.#failed();
      return undefined;
    }
  }

  done(): void {
    this.#window = undefined;
    this.#last = 'paired';
    this.#parts.tell?.({ kind: 'shown' });
  }

  #failed(): void {
    this.#last = 'failed';
    if ((this.#window?.tries ?? 0) <= 0) this.#window = undefined;
    this.#parts.tell?.({ kind: 'shown' });
  }

  #current(): Window | undefined {
    const window = this.#window;
    if (window === undefined || this.#parts.clock.now() < window.until) return window;
    this.#window = undefined;
    this.#last = 'closed';
    return undefined;
  }
}
