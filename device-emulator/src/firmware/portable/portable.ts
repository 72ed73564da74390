import { codeOf, counted, isPin, WhorlError } from '@whorl/protocol';
import type { Body, Clock } from '@whorl/protocol';
import type { TellNoticed } from '../noticed.ts';
import type { Op } from '../ops.ts';
import type { Entry, Store } from '../store.ts';
import { isOnline, next } from './chart.ts';
import type { ChartEvent, ChartState } from './chart.ts';
import type { Display, ProgressWindow, Window } from './display.ts';
import type { Change, Options, PortableState, Wish } from './state.ts';

/** What an operator picks in the menu; download is synchronise without sending first. */
export interface Picked {
  readonly mode: 'synchronise' | 'send' | 'download';
  /** One of those listed; the last one when not given. */
  readonly task?: number | undefined;
  readonly files?: boolean | undefined;
}

/** A button that people press, or a choice in the menu. */
export type Button =
  | { readonly button: 'log-in'; readonly operator: number; readonly pin: string }
  | { readonly button: 'log-out' }
  | { readonly button: 'mode'; readonly mode: 'online' | 'offline' }
  | ({ readonly button: 'options' } & { readonly [Name in keyof Options]?: boolean | undefined })
  | ({ readonly button: 'sync' } & Picked)
  /** Yes, to what the window asks. */
  | { readonly button: 'confirm' }
  /** Ends the sync that is under way. */
  | { readonly button: 'cancel' }
  /** Closes a message or a question. */
  | { readonly button: 'close' };

type Progress = Body<'sync.tell'>;
/** A question in front of all else, with what was picked. */
type Question = { readonly kind: 'offer-online' | 'confirm-loss'; readonly picked: Picked };

/** So long without the gateway, the window says that it waits. */
const WAITING_MS = 5_000;
/** Wrong PINs in a row, and how long then nobody can log in. */
const WRONG_PINS = 5;
const MOST_WRONG = 250;
const LOCKED_MS = 60_000;
/** So long after the end of a sync it stays on the line that it was lent: what it said last may have to be said again. */
const LINGER_MS = 2_000;

/** The portable side of a terminal from one start to the next: its buttons, its display, its part of a sync. */
export class Portable {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #tell: TellNoticed | undefined;
  #supply: boolean;
  #progress: Progress | undefined;
  #heard = Number.NEGATIVE_INFINITY;
  #question: Question | undefined;
  #lingersUntil = Number.NEGATIVE_INFINITY;
  #lockedUntil = 0;

  /** @param options supply: whether there is supply voltage as it starts */
  constructor(options: { store: Store; clock: Clock; supply: boolean; tell?: TellNoticed }) {
    this.#store = options.store;
    this.#clock = options.clock;
    this.#supply = options.supply;
    this.#tell = options.tell;
    this.#happen({ name: 'boot', supply: options.supply });
    this.#lock();
  }

  get #state(): PortableState {
    return this.#store.state.portable;
  }

  get #chart(): ChartState {
    const { who, mode, wish } = this.#state;
    const sync = wish === undefined ? 'none' : wish.how.automatic ? 'automatic' : 'by-hand';
    return { who, mode, sync, supply: this.#supply };
  }

  /** An offline terminal neither hears nor says anything. */
  get isOnLine(): boolean {
    return isOnline(this.#chart) || this.#clock.now() < this.#lingersUntil;
  }

  /** Supply voltage came or went, whatever the flash does: a sync that cannot be kept does not begin by itself. */
  setSupply(present: boolean): void {
    if (this.#supply === present) return;
    try {
      this.#happen({ name: 'supply', present });
    } catch (error) {
      if (codeOf(error) !== 'FLASH_FAILED') throw error;
    }
  }

  /** @throws WhorlError TERMINAL_LOGIN, TERMINAL_PIN, TERMINAL_SYNCING, TERMINAL_MODE, TERMINAL_UNSYNCED, TERMINAL_UNSENT */
  press(pressed: Button): void {
    switch (pressed.button) {
      case 'log-in':
        this.#logIn(pressed.operator, pressed.pin);
        break;
      case 'log-out':
        this.mayChange();
        this.#happen({ name: 'log-out' });
        break;
      case 'mode':
        this.#setMode(pressed.mode);
        break;
      case 'options':
        this.#setOptions(pressed);
        break;
      case 'sync':
        this.#sync(pressed, false);
        break;
      case 'confirm':
        this.#confirm();
        break;
      case 'cancel':
        this.cancel();
        break;
      case 'close':
        this.#question = undefined;
        if (this.#state.message !== undefined) this.#store.change([NO_MESSAGE], []);
    }
  }

  /**
   * Somebody changes a user at the terminal: who may, and what the journal keeps of it.
   * @throws WhorlError TERMINAL_LOGIN, TERMINAL_SYNCING
   */
  changes(user: number, what: Change['what']): Op[] {
    this.mayChange();
    const { operator, seq } = this.#state;
    const before = this.#state.changeOf(user);
    const told = what === 'edited' && before?.what === 'enrolled' ? 'enrolled' : what;
    return [{ name: 'journaled', seq: seq + 1, user, what: told, operator, at: this.#store.shown() }];
  }

  /** @throws WhorlError TERMINAL_LOGIN, TERMINAL_SYNCING when nobody works with the terminal now */
  mayChange(): void {
    if (this.#state.wish !== undefined) throw syncing();
    if (this.#state.who !== 'in') throw new WhorlError('TERMINAL_LOGIN', 'nobody is logged in');
  }

  /** Ends the sync: what was downloaded so far is forgotten, all else is as it was (P10). */
  cancel(): void {
    this.#question = undefined;
    if (this.#state.wish === undefined) return;
    const { operator } = this.#state;
    this.#end(this.#state.ended, { entries: [{ kind: 'sync.cancelled', detail: operator }] });
  }

  /** The gateway says how the sync stands. @returns whether it is one that is not wanted any more */
  told(progress: Progress): { readonly cancelled: boolean } {
    const { wish, ended } = this.#state;
    if (wish?.number !== progress.number) return { cancelled: progress.number !== ended };
    this.#heard = this.#clock.now();
    this.#progress = progress;
    switch (progress.stage) {
      case 'done':
        this.#end(wish.number, { ops: doneOps(wish) });
        break;
      case 'failed':
      case 'refused':
        this.#end(wish.number, { ops: [message('red', progress.reason)], keep: progress.stage === 'failed' });
        break;
      default:
        this.#tell?.({ kind: 'shown' });
    }
    return { cancelled: false };
  }

  /** The gateway was heard in a matter of this sync. */
  heard(): void {
    this.#heard = this.#clock.now();
  }

  get display(): Display {
    const { mode, who, operator, operators, tasks, synced, options, answers, files } = this.#state;
    const name = operators.find(({ id }) => id === operator)?.name ?? '';
    return {
      mode,
      online: isOnline(this.#chart),
      supply: this.#supply,
      operator: who === 'in' ? { id: operator, name } : undefined,
      operators: operators.map(({ id, name }) => ({ id, name })),
      tasks,
      synced,
      options,
      unsent: this.#state.changes,
      answers,
      files: files.all().map(({ name, kind, size, stored }) => ({ name, kind, size, stored })),
      window: this.#window(),
    };
  }

  #window(): Window | undefined {
    const { wish, message, unsent } = this.#state;
    if (wish !== undefined) return this.#progressWindow(wish);
    if (this.#question?.kind === 'offer-online')
      return { kind: 'offer-online', text: 'The terminal is offline. Go online and sync?' };
    if (this.#question !== undefined)
      return {
        kind: 'confirm-loss',
        unsent,
        text: `${counted(unsent, 'change was', 'changes were')} not sent and would be lost. Download all the same?`,
      };
    return message === undefined ? undefined : { kind: 'message', ...message };
  }

  #progressWindow({ number, mode, how }: Wish): ProgressWindow {
    const waits = this.#clock.now() - this.#heard > WAITING_MS;
    const { done, total, bytes, rate, left, stage } = this.#progress ?? NO_PROGRESS;
    return {
      kind: 'progress',
      number,
      mode: mode === 'send' ? 'send' : 'synchronise',
      automatic: how.automatic,
      stage: waits ? 'waiting' : stage,
      ...{ done, total, bytes, rate, left },
    };
  }

  #logIn(operator: number, pin: string): void {
    if (this.#state.wish !== undefined) throw syncing();
    if (this.#clock.now() < this.#lockedUntil)
      throw new WhorlError('TERMINAL_PIN', `too many wrong PINs: locked for a minute`);
    if (this.#state.operators.length === 0)
      throw new WhorlError(
        'TERMINAL_PIN',
        'the terminal knows no operators yet: they come when it is first online',
      );
    const known = this.#state.operators.find(({ id }) => id === operator);
    if (known === undefined || !isPin(pin, known.verifier)) {
      const wrong = Math.min(MOST_WRONG, this.#state.wrong + 1);
      this.#store.change([{ name: 'pins', wrong }], [{ kind: 'operator.refused', detail: operator }]);
      this.#lock();
      throw new WhorlError('TERMINAL_PIN', `operator ${operator}: number or PIN is wrong`);
    }
    if (this.#state.wrong > 0) this.#store.change([{ name: 'pins', wrong: 0 }], []);
    this.#question = undefined;
    this.#happen({ name: 'log-in' }, operator);
  }

  /** A restart does not open it sooner. */
  #lock(): void {
    const { wrong } = this.#state;
    if (wrong > 0 && wrong % WRONG_PINS === 0) this.#lockedUntil = this.#clock.now() + LOCKED_MS;
  }

  #setMode(mode: 'online' | 'offline'): void {
    this.mayChange();
    if (mode === 'offline' && this.#state.synced === undefined)
      throw new WhorlError('TERMINAL_UNSYNCED', 'there is no local database yet');
    this.#question = undefined;
    if (mode !== this.#state.mode) this.#store.change([{ name: 'mode', mode }], []);
  }

  #setOptions({ automatic, data, files }: { readonly [Name in keyof Options]?: boolean | undefined }): void {
    this.mayChange();
    const now = this.#state.options;
    const options = {
      automatic: automatic ?? now.automatic,
      data: data ?? now.data,
      files: files ?? now.files,
    };
    this.#store.change([{ name: 'options', options }], []);
  }

  #sync(picked: Picked, loss: boolean): void {
    this.mayChange();
    const { unsent, operator, mode } = this.#state;
    if (mode === 'offline') {
      this.#question = { kind: 'offer-online', picked };
      throw new WhorlError('TERMINAL_MODE', 'a sync by hand needs the online mode; "confirm" switches to it');
    }
    const forgets = picked.mode === 'download' && unsent > 0;
    if (forgets && !loss) {
      this.#question = { kind: 'confirm-loss', picked };
      throw new WhorlError(
        'TERMINAL_UNSENT',
        `${counted(unsent, 'change was', 'changes were')} not sent and would be lost; "confirm" downloads all the same`,
      );
    }
    this.#question = undefined;
    const wish: Wish = {
      number: this.#state.wishes + 1,
      mode: picked.mode === 'send' ? 'send' : 'synchronise',
      task: picked.task ?? this.#lastTask,
      operator,
      how: {
        forget: forgets,
        files: picked.mode !== 'send' && (picked.files ?? this.#state.options.files),
        automatic: false,
        unsent: false,
      },
    };
    this.#wish(wish, [], forgets ? [{ kind: 'sync.forgets', detail: operator }] : []);
  }

  #confirm(): void {
    const question = this.#question;
    if (question === undefined) return;
    if (question.kind === 'offer-online') this.#setMode('online');
    this.#sync(question.picked, question.kind === 'confirm-loss');
  }

  /** Takes the chart one step on, and keeps what is different then, in one write. */
  #happen(event: ChartEvent, operator = this.#state.operator): void {
    const before = this.#chart;
    const after = next(before, event, this.#state.options.automatic);
    const entries: Entry[] = [];
    if (event.name === 'log-in' && after.who === 'in')
      entries.push({ kind: 'operator.in', detail: operator });
    if (event.name === 'log-out' && before.who === 'in')
      entries.push({ kind: 'operator.out', detail: operator });
    const ops: Op[] =
      after.who === before.who && operator === this.#state.operator
        ? []
        : [{ name: 'who', who: after.who, operator }];
    const greeted = event.name === 'log-in' && this.#state.message?.colour === 'green' ? [NO_MESSAGE] : [];
    this.#supply = after.supply;
    if (before.sync === 'none' && after.sync === 'automatic') this.#wish(this.#automaticWish(), ops, entries);
    else this.#store.change([...ops, ...greeted], entries);
  }

  /** The first that is listed, as long as there was none. */
  get #lastTask(): number {
    const { synced, tasks } = this.#state;
    return synced ?? tasks[0]?.id ?? 0;
  }

  #automaticWish(): Wish {
    const { synced, operator, options, wishes } = this.#state;
    const downloads = options.data && synced !== undefined;
    return {
      number: wishes + 1,
      mode: downloads ? 'synchronise' : 'send',
      task: this.#lastTask,
      operator,
      how: { forget: false, files: downloads && options.files, automatic: true, unsent: false },
    };
  }

  #wish(wish: Wish, ops: readonly Op[], entries: readonly Entry[]): void {
    this.#progress = undefined;
    this.#heard = this.#clock.now();
    this.#store.change(
      [...ops, { name: 'wished', ...wish }],
      [...entries, { kind: 'sync.wanted', detail: wish.operator }],
    );
  }

  /** @param keep the table under construction, for the next try */
  #end(
    ended: number,
    { ops = [], entries = [], keep = false }: { ops?: Op[]; entries?: Entry[]; keep?: boolean },
  ): void {
    const gone: Op[] = keep || this.#state.next === undefined ? [] : [{ name: 'nextGone' }];
    this.#store.change([{ name: 'unwished', ended }, ...gone, ...ops], entries);
    this.#lingersUntil = this.#clock.now() + LINGER_MS;
    this.#progress = undefined;
  }
}

const NO_MESSAGE: Op = { name: 'message', colour: 'none', bytes: new Uint8Array(0) };
const NO_PROGRESS = { stage: 'preparing', done: 0, total: 0, bytes: 0, rate: 0, left: 0 } as const;

function message(colour: 'green' | 'red', text: string): Op {
  return { name: 'message', colour, bytes: Buffer.from(text) };
}

function doneOps({ mode, task }: Wish): Op[] {
  if (mode === 'send') return [message('green', 'What was changed here is sent.')];
  return [{ name: 'synced', task }, message('green', 'The terminal is in step.')];
}

function syncing(): WhorlError {
  return new WhorlError('TERMINAL_SYNCING', 'a sync is under way');
}
