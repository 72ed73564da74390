import { codeOf, credentialOf, FIELDS, WhorlError } from '@whorl/protocol';
import type { Cancel, Clock, CredentialKind, FieldName } from '@whorl/protocol';
import type { Enrolment } from './enrolment.ts';
import { restingSign, rowsOf } from './front-display.ts';
import type { Led, Sign, Sound } from './front-display.ts';
import type { Noticed } from './noticed.ts';
import { heldCredential, isPinOf, stillNeeded } from './proofs.ts';
import type { Proof } from './proofs.ts';
import type { ShownLog } from './shown-log.ts';
import type { Terminal } from './terminal.ts';

/** An enrolment in steps, as far as it has come. */
export interface EnrolmentSteps {
  readonly user: number;
  readonly credential: FieldName;
  /** Readings taken, and how many it takes. */
  readonly reading: number;
  readonly readings: number;
}

/** What can be noticed at a terminal's front. */
export type FrontEvent =
  | { readonly kind: 'display'; readonly lines: readonly string[]; readonly led: Led; readonly sound: Sound }
  | { readonly kind: 'door'; readonly released: boolean }
  | ({ readonly kind: 'enrolment'; readonly step: 'begun' | 'reading' | 'done' | 'failed' } & EnrolmentSteps);

/** What came of something that was shown. */
export interface Shown {
  /** `more`: something else has to be shown, too; `reading`: the enrolment needs another one; `nothing`: nobody asked for it. */
  readonly result: 'granted' | 'denied' | 'more' | 'reading' | 'enrolled' | 'nothing';
  /** 0 when the terminal does not know whose it is. */
  readonly user: number;
}

/** What is held to a reader: somebody's, or a card of some number; a stranger's when `user` is not given. */
export interface Held {
  readonly user?: number | undefined;
  readonly slot?: number | undefined;
  readonly number?: Uint8Array | undefined;
}

type Dialog =
  | { readonly kind: 'rest' }
  | { readonly kind: 'typing'; readonly digits: string }
  /** Somebody is known by what was shown, and has to show something else. */
  | {
      readonly kind: 'proof';
      readonly user: number;
      readonly field: number;
      readonly shown: readonly Proof[];
      readonly needs: Proof;
      readonly pin: string;
    }
  | ({ readonly kind: 'enrolment'; readonly enrolment: Enrolment } & EnrolmentSteps);

const REST: Dialog = { kind: 'rest' };
const READINGS: Readonly<Record<CredentialKind, number>> = { finger: 3, card: 1, face: 1 };
const ASK: Readonly<Record<Proof, string>> = {
  finger: 'Place your finger',
  card: 'Hold your card',
  face: 'Look at the camera',
  pin: 'PIN, then #',
};
const MOST_DIGITS = 16;
const SIGN_MS = 3_000;
const RELEASED_MS = 3_000;
const PATIENCE_MS = 30_000;

/**
 * A terminal's front: finger pad, card field, camera, keypad, display, LED, and the relay of its door. Knows nothing
 * that the terminal has to keep.
 */
export class Front {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  readonly #tell: (event: FrontEvent) => void;
  #dialog: Dialog = REST;
  #sign: Sign | undefined;
  #shows = '';
  #released: Cancel | undefined;
  #forget: Cancel = () => undefined;
  #unwatch: () => void;

  constructor(terminal: Terminal, clock: Clock, tell: (event: FrontEvent) => void) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#tell = tell;
    this.#shows = JSON.stringify(this.#current());
    this.#unwatch = terminal.watch((noticed) => {
      this.#notice(noticed);
    });
  }

  /** Rows of the display. */
  get lines(): readonly string[] {
    return rowsOf(this.#current().lines);
  }

  get led(): Led {
    return this.#current().led;
  }

  /** The relay of the door is driven. */
  get released(): boolean {
    return this.#released !== undefined;
  }

  get enrolment(): EnrolmentSteps | undefined {
    return this.#dialog.kind === 'enrolment' ? stepsOf(this.#dialog) : undefined;
  }

  /** Nobody stands before it any more. */
  stop(): void {
    this.#unwatch();
    this.#forget();
    this.#released?.();
  }

  /**
   * Begins an enrolment; what is asked for is then shown as often as it takes.
   * @throws WhorlError TERMINAL_OFF, TERMINAL_CANNOT_HOLD
   */
  begin(enrolment: Enrolment & { readonly user: number; readonly credential: FieldName }): EnrolmentSteps {
    const { credential, user, ...rest } = enrolment;
    const kind = credentialOf(FIELDS[credential].number)?.kind;
    if (kind === undefined || this.#slots(kind) === 0)
      throw new WhorlError('TERMINAL_CANNOT_HOLD', `user ${user}: ${credential}`);
    const steps = { user, credential, reading: 0, readings: READINGS[kind] };
    this.#ask({ kind: 'enrolment', enrolment: { ...rest, user }, ...steps });
    this.#tell({ kind: 'enrolment', step: 'begun', ...steps });
    return steps;
  }

  /** Gives up whatever was begun. @throws WhorlError TERMINAL_OFF */
  cancel(): void {
    const dialog = this.#dialog;
    this.#rest();
    if (dialog.kind !== 'enrolment') return;
    this.#terminal.enrolFailed(dialog.user);
    this.#tell({ kind: 'enrolment', step: 'failed', ...stepsOf(dialog) });
  }

  /** Something is held to a reader. @throws WhorlError TERMINAL_OFF, and what an enrolment ends with */
  show(kind: CredentialKind, held: Held): Shown {
    const dialog = this.#dialog;
    if (dialog.kind === 'enrolment') return this.#read(dialog, kind, held);
    const { user, field } = this.#known(kind, held);
    if (this.#slots(kind) === 0) return { result: 'nothing', user: 0 };
    if (dialog.kind === 'proof') {
      const right = kind === dialog.needs && user === dialog.user;
      return right ? this.#accept(dialog, kind) : this.#refuse(dialog.user, field);
    }
    if (user === 0) return this.#refuse(0, 0);
    return this.#accept({ user, field, shown: [] }, kind);
  }

  /**
   * Keys are pressed: a user's number, `#`, the PIN, `#`; `*` takes back.
   * @param keys 0 to 9, # and *
   */
  type(keys: string): Shown {
    let shown: Shown = { result: 'nothing', user: 0 };
    for (const key of keys) shown = this.#press(key);
    return shown;
  }

  #press(key: string): Shown {
    const dialog = this.#dialog;
    const nothing = { result: 'nothing', user: 0 } as const;
    if (dialog.kind === 'enrolment' || key === '*') {
      this.cancel();
      return nothing;
    }
    if (dialog.kind === 'proof' && dialog.needs === 'pin') {
      if (key === '#') return this.#checkPin(dialog);
      this.#ask({ ...dialog, pin: `${dialog.pin}${key}`.slice(0, MOST_DIGITS) });
      return { result: 'more', user: dialog.user };
    }
    const digits = dialog.kind === 'typing' ? dialog.digits : '';
    if (key !== '#') {
      this.#ask({ kind: 'typing', digits: `${digits}${key}`.slice(0, MOST_DIGITS) });
      return nothing;
    }
    if (digits === '') return nothing;
    const user = Number(digits);
    this.#ask({ kind: 'proof', user, field: 0, shown: [], needs: 'pin', pin: '' });
    return { result: 'more', user };
  }

  #checkPin(dialog: Extract<Dialog, { kind: 'proof' }>): Shown {
    const right = isPinOf(this.#terminal.user(dialog.user), dialog.pin);
    return right ? this.#accept(dialog, 'pin') : this.#refuse(dialog.user, FIELDS.pin.number);
  }

  /** Whose it is, as far as the terminal holds it. */
  #known(kind: CredentialKind, held: Held): { readonly user: number; readonly field: number } {
    const stranger = { user: 0, field: 0 };
    if (kind === 'card' && held.number !== undefined) return this.#terminal.holderOf(held.number) ?? stranger;
    if (held.user === undefined) return stranger;
    const name = heldCredential(this.#terminal.user(held.user), kind, held.slot);
    return name === undefined ? stranger : { user: held.user, field: FIELDS[name].number };
  }

  #accept(
    known: { readonly user: number; readonly field: number; readonly shown: readonly Proof[] },
    proof: Proof,
  ): Shown {
    const { user, field } = known;
    const shown = [...known.shown, proof];
    const needs = stillNeeded(this.#terminal.user(user), shown);
    if (needs === 'wrong') return this.#refuse(user, field);
    if (needs !== 'nothing') {
      this.#ask({ kind: 'proof', user, field, shown, needs, pin: '' });
      return { result: 'more', user };
    }
    this.#rest();
    const { granted } = this.#terminal.tap({ user, field });
    return { result: granted ? 'granted' : 'denied', user };
  }

  #refuse(user: number, field: number): Shown {
    this.#rest();
    this.#terminal.tap({ user, field, wrong: true });
    return { result: 'denied', user };
  }

  #read(dialog: Extract<Dialog, { kind: 'enrolment' }>, kind: CredentialKind, held: Held): Shown {
    const { user, credential, readings } = dialog;
    const { kind: wanted, slot = 0 } = credentialOf(FIELDS[credential].number) ?? {};
    if (kind !== wanted) return { result: 'nothing', user };
    const reading = dialog.reading + 1;
    const steps = { user, credential, reading, readings };
    if (reading < readings) {
      this.#ask({ ...dialog, ...steps });
      this.#tell({ kind: 'enrolment', step: 'reading', ...steps });
      return { result: 'reading', user };
    }
    this.#rest();
    const card = held.number === undefined ? slot : { slot, number: held.number };
    try {
      this.#terminal.enrol({ ...dialog.enrolment, [kind]: kind === 'card' ? card : slot });
    } catch (error) {
      this.#tell({ kind: 'enrolment', step: 'failed', ...steps });
      throw error;
    }
    this.#tell({ kind: 'enrolment', step: 'done', ...steps });
    return { result: 'enrolled', user };
  }

  #slots(kind: CredentialKind): number {
    const { cards, fingers, faces } = this.#terminal.model.capabilities;
    return { card: cards, finger: fingers, face: faces }[kind];
  }

  #ask(dialog: Dialog): void {
    if (this.#terminal.power !== 'on')
      throw new WhorlError('TERMINAL_OFF', `terminal ${this.#terminal.serial} is ${this.#terminal.power}`);
    this.#dialog = dialog;
    this.#sign = undefined;
    this.#wait();
    this.#changed();
  }

  /** So long somebody may think; a worn flash, which cannot take the log record, ends nothing else. */
  #wait(): void {
    this.#forgetAfter(PATIENCE_MS, () => {
      try {
        this.cancel();
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
      }
    });
  }

  #rest(): void {
    this.#dialog = REST;
    this.#forget();
    this.#changed();
  }

  #forgetAfter(ms: number, then: () => void): void {
    this.#forget();
    this.#forget = this.#clock.after(ms, then);
  }

  #notice(noticed: Noticed): void {
    switch (noticed.kind) {
      case 'logged':
        this.#noticeLog(noticed.record);
        break;
      case 'power':
        this.#dialog = REST;
        this.#sign = undefined;
        this.#forget();
        this.#release(false);
        this.#changed();
        break;
      default:
        if (this.#terminal.power === 'on') this.#changed();
    }
  }

  #noticeLog({ kind, origin, user }: ShownLog): void {
    if (origin !== 'terminal') return;
    const name = (): string => this.#terminal.user(user)?.name ?? `User ${user}`;
    switch (kind) {
      case 'access.granted':
        this.#release(true);
        this.#flash({ lines: ['Welcome', name()], led: 'green', sound: 'good' });
        break;
      case 'access.denied':
        this.#flash({ lines: ['Not admitted'], led: 'red', sound: 'bad' });
        break;
      case 'user.enrolled':
        this.#flash({ lines: ['Enrolled', name()], led: 'green', sound: 'good' });
        break;
      case 'user.enrol.failed':
        this.#flash({ lines: ['Not enrolled'], led: 'red', sound: 'bad' });
        break;
      case 'user.deleted':
        this.#flash({ lines: ['Deleted', `User ${user}`], led: 'blue', sound: 'key' });
        break;
      case 'terminal.tampered':
        this.#flash({ lines: ['Housing open'], led: 'red', sound: 'bad' });
        break;
      default:
    }
  }

  /** Shows something for a moment, whatever was begun. */
  #flash(sign: Sign): void {
    this.#sign = sign;
    this.#forgetAfter(SIGN_MS, () => {
      this.#sign = undefined;
      if (this.#dialog.kind !== 'rest') this.#wait();
      this.#changed();
    });
    this.#shows = '';
    this.#changed();
  }

  #release(released: boolean): void {
    const was = this.released;
    this.#released?.();
    this.#released = released
      ? this.#clock.after(RELEASED_MS, () => {
          this.#release(false);
        })
      : undefined;
    if (was !== released) this.#tell({ kind: 'door', released });
  }

  #current(): Sign {
    return this.#sign ?? dialogSign(this.#dialog) ?? restingSign(this.#terminal);
  }

  #changed(): void {
    const sign = this.#current();
    const shows = JSON.stringify(sign);
    if (shows === this.#shows) return;
    this.#shows = shows;
    this.#tell({ kind: 'display', ...sign, lines: rowsOf(sign.lines) });
  }
}

function stepsOf({ user, credential, reading, readings }: EnrolmentSteps): EnrolmentSteps {
  return { user, credential, reading, readings };
}

function dialogSign(dialog: Dialog): Sign | undefined {
  switch (dialog.kind) {
    case 'rest':
      return undefined;
    case 'typing':
      return { lines: ['User', `${dialog.digits}_`, 'Then #'], led: 'yellow', sound: 'key' };
    case 'proof':
      return {
        lines: [`User ${dialog.user}`, ASK[dialog.needs], '*'.repeat(dialog.pin.length)],
        led: 'yellow',
        sound: 'key',
      };
    case 'enrolment': {
      const kind = credentialOf(FIELDS[dialog.credential].number)?.kind ?? 'finger';
      const count = dialog.readings === 1 ? '' : `${dialog.reading + 1} of ${dialog.readings}`;
      const lines = [`Enrol user ${dialog.user}`, ASK[kind], count];
      return { lines, led: 'yellow', sound: dialog.reading === 0 ? 'none' : 'key' };
    }
  }
}
