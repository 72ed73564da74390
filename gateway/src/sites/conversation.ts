import { codeOf, ERRORS, WhorlError } from '@whorl/protocol';
import type { Cancel, Clock, ErrorCode } from '@whorl/protocol';
import type { Login } from './login.ts';
import { Channel, LOGIN } from './channel.ts';
import { fitting, isLogin, readLogin } from './login-words.ts';
import { readMessage, writeMessage } from './message.ts';
import type { Pace } from './pace.ts';
import { ANSWERS, downSchema } from './requests.ts';
import type { AnswerOf, Ask, RequestOf } from './requests.ts';
import { checkOpened } from './versions.ts';
import type { OpenSatelliteWire, SatelliteWire } from './wire.ts';

/** Without a sign of the master for so long a message is said again; slow links double it. */
const PATIENCE_MS = 5_000;
const MOST_DOUBLED = 3;
const MOST_TRIES = 6;
/** A batch of the largest size over the slowest link that is worth it. */
const BYTES_PER_MS = 2;
/** A link that does not take a goodbye in this time is left without one. */
const GOODBYE_MS = 1_000;

/** What was answered, and how many bytes came with it. */
export interface Answered<Kind extends Ask> {
  readonly answer: AnswerOf<Kind>;
  readonly blobs: readonly Uint8Array[];
  readonly bytes: number;
  /** From the question to the answer. */
  readonly ms: number;
}

interface Waiting {
  readonly id: number;
  readonly resolve: (value: { answer: unknown; blobs: readonly Uint8Array[]; bytes: number }) => void;
  readonly reject: (error: Error) => void;
  /** The master lives, and works on it. */
  readonly patience: () => void;
}

export interface ConversationParts {
  readonly open: OpenSatelliteWire;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Which exchange this gateway speaks. */
  readonly protocol: number;
  /** Told when the master says that there is news. */
  readonly news: () => void;
  /** Told when the master wants a sign of life. */
  readonly echo: (echo: number) => void;
  /** Nobody is told that the satellite is there. */
  readonly quiet?: boolean;
  /** Told when the link has ended by itself. */
  readonly lost: () => void;
}

/** A satellite's end of what is said: one question at a time, said again until it is answered. */
export class Conversation {
  readonly #parts: ConversationParts;
  readonly #wire: SatelliteWire;
  #channel: Channel | undefined;
  #login:
    { login: Login; said: (next: Uint8Array | Channel) => void; failed: (error: Error) => void } | undefined;
  #waiting: Waiting | undefined;
  #last = 0;
  /** One question after the other, whoever asks. */
  #asking: Promise<unknown> = Promise.resolve();
  #over: string | undefined;
  #closed = false;

  private constructor(parts: ConversationParts, wire: SatelliteWire) {
    this.#parts = parts;
    this.#wire = wire;
    void wire.closed.then((reason) => {
      this.#over = reason;
      const error = new WhorlError('SITES_LINK', reason);
      this.#waiting?.reject(error);
      this.#login?.failed(error);
      if (!this.#closed) parts.lost();
    });
  }

  /** @throws WhorlError MQTT_*, SITES_LINK */
  static async open(parts: ConversationParts, signal: AbortSignal): Promise<Conversation> {
    const ears: { talk?: Conversation } = {};
    const wire = await parts.open((bytes) => ears.talk?.heard(bytes), signal);
    ears.talk = new Conversation(parts, wire);
    return ears.talk;
  }

  /** Whether it can be gone on with. */
  get live(): boolean {
    return this.#over === undefined;
  }

  /** Shows that it was this process that had the session; nothing before the login. */
  get proof(): string | undefined {
    return this.#channel?.proof;
  }

  close(): void {
    this.#closed = true;
    this.#wire.close();
  }

  /** Says goodbye, so that the master need not wait for a sign, and closes. */
  async leave(): Promise<void> {
    const { clock } = this.#parts;
    if (this.#channel !== undefined && this.live) {
      this.#last += 1;
      const said = writeMessage({ body: { id: this.#last, request: { ask: 'left' } }, blobs: [] });
      const late = Promise.withResolvers<undefined>();
      const cancel = clock.after(GOODBYE_MS, () => late.resolve(undefined));
      await Promise.race([this.#wire.send(this.#channel.seal(said)).catch(() => undefined), late.promise]);
      cancel();
    }
    this.close();
  }

  /** @throws WhorlError SITES_* when it is refused or nobody answers */
  async logIn(login: Login): Promise<void> {
    let said = login.begin();
    for (;;) {
      const next = await this.#step(login, said);
      if (next instanceof Channel) {
        this.#channel = next;
        if (this.#parts.quiet !== true) await this.#wire.announce();
        return;
      }
      said = next;
    }
  }

  #step(login: Login, said: Uint8Array): Promise<Uint8Array | Channel> {
    return this.#until<Uint8Array | Channel>(
      'the login',
      () => this.#wire.send(said),
      (resolve, reject) => {
        this.#login = { login, said: resolve, failed: reject };
      },
    ).finally(() => {
      this.#login = undefined;
    });
  }

  /** @throws WhorlError SITES_LINK when nobody answers; what the master failed with */
  ask<Kind extends Ask>(
    request: RequestOf<Kind>,
    blobs: readonly Uint8Array[] = [],
  ): Promise<Answered<Kind>> {
    const next = this.#asking.then(() => this.#ask(request, blobs));
    this.#asking = next.catch(() => undefined);
    return next;
  }

  async #ask<Kind extends Ask>(
    request: RequestOf<Kind>,
    blobs: readonly Uint8Array[],
  ): Promise<Answered<Kind>> {
    const channel = this.#channel;
    if (channel === undefined) throw new WhorlError('SITES_LINK', 'nobody is logged in');
    this.#last += 1;
    const id = this.#last;
    const clear = writeMessage({ body: { id, request }, blobs });
    const began = this.#parts.clock.now();
    const heard = await this.#until<{ answer: unknown; blobs: readonly Uint8Array[]; bytes: number }>(
      request.ask,
      // Sealed anew, as a number is never used twice; the master knows the question by its id.
      () => this.#wire.send(channel.seal(clear)),
      (resolve, reject, patience) => {
        this.#waiting = { id, resolve, reject, patience };
      },
      clear.length,
    ).finally(() => {
      this.#waiting = undefined;
    });
    if (request.ask === 'open') checkOpened(this.#parts.protocol, heard.answer);
    const ms = this.#parts.clock.now() - began;
    this.#parts.pace.took(clear.length + heard.bytes, ms);
    // The schema is that of the question, which the compiler cannot tie to its kind.
    const answer = fitting(ANSWERS[request.ask], heard.answer, 'an answer') as AnswerOf<Kind>;
    return { answer, blobs: heard.blobs, bytes: clear.length + heard.bytes, ms };
  }

  /** Takes what came over the wire. */
  heard(bytes: Uint8Array): void {
    try {
      if (bytes[0] === LOGIN) {
        // Nobody has signed it: what is no step of a login ends nothing.
        if (!isLogin(bytes)) return;
        if (this.#login === undefined) this.#forgotten(bytes);
        const next = this.#login?.login.take(bytes);
        if (next !== undefined) this.#login?.said(next);
        return;
      }
      const clear = this.#channel?.open(bytes);
      if (clear !== undefined) this.#answered(clear);
    } catch (error) {
      // What was changed on the way is as good as lost, and said again.
      if (this.#channel !== undefined && codeOf(error) === 'FRAME_FORGED') return;
      const failure = error instanceof Error ? error : new Error(String(error));
      this.#login?.failed(failure);
      this.#waiting?.reject(failure);
    }
  }

  /** The master has begun anew and knows nothing of this session. */
  #forgotten(bytes: Uint8Array): void {
    const step = readLogin(bytes);
    if (step.step !== 'refused' || step.code !== 'SITES_LINK') return;
    // Somebody else's session that was said to be this site's.
    if (step.id !== '' && step.id !== this.#channel?.id) return;
    this.#over = step.text;
    this.#waiting?.reject(new WhorlError('SITES_LINK', step.text));
    if (!this.#closed) this.#parts.lost();
  }

  #answered(clear: Uint8Array): void {
    const { body, blobs } = readMessage(clear);
    const down = fitting(downSchema, body, 'what the master says');
    if ('news' in down) {
      this.#parts.news();
      return;
    }
    if ('echo' in down) {
      this.#parts.echo(down.echo);
      return;
    }
    const waiting = this.#waiting;
    if (waiting?.id !== down.id) return;
    if ('working' in down) waiting.patience();
    else if ('failed' in down) waiting.reject(failureOf(down.failed));
    else waiting.resolve({ answer: down.answer, blobs, bytes: clear.length });
  }

  /** Says something, again and again until `arm` was given an end. */
  #until<T>(
    what: string,
    say: () => Promise<void>,
    arm: (resolve: (value: T) => void, reject: (error: Error) => void, patience: () => void) => void,
    bytes = 0,
  ): Promise<T> {
    const { clock, pace } = this.#parts;
    return new Promise<T>((resolve, reject) => {
      let cancel: Cancel = () => undefined;
      let tries = 0;
      const end = (): void => {
        cancel();
      };
      const attempt = (): void => {
        if (this.#over !== undefined || tries === MOST_TRIES) {
          reject(new WhorlError('SITES_LINK', this.#over ?? `the master does not answer (${what})`));
          return;
        }
        if (tries > 0) pace.lost();
        tries += 1;
        say().catch((error: unknown) => {
          end();
          reject(error instanceof Error ? error : new Error(String(error)));
        });
        wait();
      };
      const wait = (): void => {
        cancel = clock.after(
          (PATIENCE_MS + bytes / BYTES_PER_MS) * 2 ** Math.min(tries - 1, MOST_DOUBLED),
          attempt,
        );
      };
      arm(
        (value) => {
          end();
          resolve(value);
        },
        (error) => {
          end();
          reject(error);
        },
        () => {
          cancel();
          tries = 1;
          wait();
        },
      );
      attempt();
    });
  }
}

function failureOf({ code, text }: { readonly code: string; readonly text: string }): Error {
  return isCode(code) ? new WhorlError(code, text) : new WhorlError('SITES_LINK', `${code}: ${text}`);
}

function isCode(code: string): code is ErrorCode {
  return code in ERRORS;
}
