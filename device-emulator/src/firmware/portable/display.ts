import type { Body } from '@whorl/protocol';
import type { Answered, Change, Options } from './state.ts';
import type { ListedTask } from './lists.ts';

/** How a sync stands, as its window shows it. */
export interface ProgressWindow {
  readonly kind: 'progress';
  readonly number: number;
  readonly mode: 'synchronise' | 'send';
  readonly automatic: boolean;
  /** waiting: the gateway was not heard yet, or not for some time. */
  readonly stage: Body<'sync.tell'>['stage'] | 'waiting';
  /** Users or files. */
  readonly done: number;
  readonly total: number;
  readonly bytes: number;
  /** Bytes a second. */
  readonly rate: number;
  /** Seconds. */
  readonly left: number;
}

/** What stands in front of all else until it is answered. */
export type Window =
  | ProgressWindow
  /** Somebody wants to sync and the terminal is offline: `confirm` goes online and begins. */
  | { readonly kind: 'offer-online'; readonly text: string }
  /** Somebody wants to download and has not sent: `confirm` begins, and what was not sent is lost (P5). */
  | { readonly kind: 'confirm-loss'; readonly unsent: number; readonly text: string }
  /** How the last sync ended; `close` closes it, and a green one gives way to whoever presses anything else. */
  | { readonly kind: 'message'; readonly colour: 'green' | 'red'; readonly text: string };

/** All that the display of a portable terminal shows, for people and programs. */
export interface Display {
  /** Chosen by people. */
  readonly mode: 'online' | 'offline';
  /** On the line now: also while a sync lends it. */
  readonly online: boolean;
  readonly supply: boolean;
  /** Who is logged in. */
  readonly operator: { readonly id: number; readonly name: string } | undefined;
  /** Who may log in. */
  readonly operators: readonly { readonly id: number; readonly name: string }[];
  readonly tasks: readonly ListedTask[];
  /** Task whose slice is the local database; `undefined` before the first sync. */
  readonly synced: number | undefined;
  readonly options: Options;
  readonly unsent: readonly Change[];
  /** What became of what was sent last. */
  readonly answers: readonly Answered[];
  readonly files: readonly {
    readonly name: string;
    readonly kind: string;
    readonly size: number;
    readonly stored: number;
  }[];
  readonly window: Window | undefined;
}
