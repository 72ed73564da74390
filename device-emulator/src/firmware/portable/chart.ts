import type { WHO } from './rows.ts';

/**
 * When a portable terminal syncs by itself; README.md has it as a table. Pure: what happened in, what holds now out.
 * rest: nobody has logged in since the last automatic sync, or a power cut ended that. in: somebody is logged in. ready:
 * somebody has logged in and out again.
 */
export type Who = keyof typeof WHO;

export interface ChartState {
  readonly who: Who;
  /** There is supply voltage. */
  readonly supply: boolean;
  readonly sync: 'none' | 'by-hand' | 'automatic';
  /** Chosen by people; a sync lends the other one. */
  readonly mode: 'online' | 'offline';
}

export type ChartEvent =
  | { readonly name: 'supply'; readonly present: boolean }
  | { readonly name: 'log-in' }
  | { readonly name: 'log-out' }
  | { readonly name: 'sync' }
  /** done, failed, refused or cancelled. */
  | { readonly name: 'ended' }
  /** After it had no power at all. */
  | { readonly name: 'boot'; readonly supply: boolean };

/** Whether it is on the line now: a sync goes online, and gives the mode back whatever ends it (P8). */
export function isOnline({ sync, mode }: Pick<ChartState, 'sync' | 'mode'>): boolean {
  return sync !== 'none' || mode === 'online';
}

/**
 * What holds after something happened; an event that cannot happen now changes nothing.
 * @param automatic the option of this name
 */
export function next(state: ChartState, event: ChartEvent, automatic: boolean): ChartState {
  return begun(happened(state, event), automatic);
}

function happened(state: ChartState, event: ChartEvent): ChartState {
  switch (event.name) {
    case 'supply':
      return { ...state, supply: event.present };
    case 'log-in':
      return state.sync === 'none' ? { ...state, who: 'in' } : state;
    case 'log-out':
      return state.sync === 'none' && state.who === 'in' ? { ...state, who: 'ready' } : state;
    case 'sync':
      return state.sync === 'none' && state.who === 'in' && state.mode === 'online'
        ? { ...state, sync: 'by-hand' }
        : state;
    case 'ended':
      return { ...state, sync: 'none' };
    case 'boot':
      return { ...state, supply: event.supply, who: state.who === 'in' ? 'rest' : state.who };
  }
}

/** Both must hold, in whichever order they came: voltage, and a log-in and log-out that no automatic sync has followed. */
function begun(state: ChartState, automatic: boolean): ChartState {
  return automatic && state.supply && state.who === 'ready' && state.sync === 'none'
    ? { ...state, who: 'rest', sync: 'automatic' }
    : state;
}
