import { sameBytes } from '../user/digest.ts';

/**
 * The terminal's side of exchanges: the last answers, kept so that a request that comes again (because its answer was
 * lost) is answered again and not carried out again.
 */
export class AnswerMemory {
  readonly #kept: {
    readonly sequence: number;
    readonly request: Uint8Array;
    readonly answers: readonly Uint8Array[];
  }[] = [];
  readonly #window: number;

  /** @param window requests that may be under way at once; so many answers are kept */
  constructor(window: number) {
    this.#window = window;
  }

  /** The frames that answered this very request; `undefined` when it is new. */
  repeated(sequence: number, request: Uint8Array): readonly Uint8Array[] | undefined {
    const known = this.#kept.find((kept) => kept.sequence === sequence);
    return known !== undefined && sameBytes(known.request, request) ? known.answers : undefined;
  }

  /** Keeps an answer (wire bytes of its frames) in place of the oldest. */
  keep(sequence: number, request: Uint8Array, answers: readonly Uint8Array[]): void {
    const older = this.#kept.findIndex((kept) => kept.sequence === sequence);
    if (older >= 0) this.#kept.splice(older, 1);
    // Not `slice`: a Buffer's is a view, and whoever received the request uses its bytes again.
    this.#kept.push({ sequence, request: new Uint8Array(request), answers });
    if (this.#kept.length > this.#window) this.#kept.shift();
  }

  /** A new session begins: what was answered before it is nobody's any more. */
  forget(): void {
    this.#kept.length = 0;
  }
}
