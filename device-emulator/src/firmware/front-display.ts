import type { Display, Window } from './portable/display.ts';
import type { Terminal } from './terminal.ts';

/** Rows of a terminal's display, and characters of each. */
export const DISPLAY_ROWS = 4;
export const DISPLAY_COLUMNS = 24;

export type Led = 'off' | 'blue' | 'yellow' | 'green' | 'red';
export type Sound = 'none' | 'key' | 'good' | 'bad';

/** What somebody sees and hears. */
export interface Sign {
  /** Rows from the top; the rest of them is empty. */
  readonly lines: readonly string[];
  readonly led: Led;
  /** When it begins. */
  readonly sound: Sound;
}

/** Rows as the display has them: cut to its width, and as many as it has. */
export function rowsOf(lines: readonly string[]): string[] {
  return Array.from({ length: DISPLAY_ROWS }, (_, row) => cut(lines[row] ?? ''));
}

function cut(text: string): string {
  const letters = Array.from(text);
  return letters.length > DISPLAY_COLUMNS ? `${letters.slice(0, DISPLAY_COLUMNS - 1).join('')}…` : text;
}

/** What a terminal shows while nobody stands before it. */
export function restingSign(terminal: Terminal): Sign {
  if (terminal.power === 'off') return { lines: [], led: 'off', sound: 'none' };
  if (terminal.power === 'starting') return { lines: ['Starting …'], led: 'yellow', sound: 'none' };
  const { pairing } = terminal;
  if (pairing.kind === 'open')
    return {
      lines: ['Pair', `Code ${pairing.code}`, 'Type it at the gateway'],
      led: 'yellow',
      sound: 'none',
    };
  if (terminal.isPortable) return portableSign(terminal.display);
  const paired = terminal.isPaired ? '' : 'Not paired';
  return { lines: ['Ready', readersOf(terminal), '', paired], led: 'blue', sound: 'none' };
}

function readersOf({ model: { capabilities: can } }: Terminal): string {
  const readers = [
    ...(can.fingers > 0 ? ['finger'] : []),
    ...(can.faces > 0 ? ['face'] : []),
    ...(can.cards > 0 ? ['card'] : []),
    ...(can.holds.pin ? ['PIN'] : []),
  ];
  const text = readers.join(', ');
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function portableSign({ mode, supply, operator, unsent, window }: Display): Sign {
  const where = `${mode === 'online' ? 'Online' : 'Offline'}${supply ? ', in its dock' : ''}`;
  const who = operator === undefined ? 'Log in' : operator.name;
  const sent = unsent.length === 0 ? '' : `${unsent.length} unsent`;
  if (window === undefined) return { lines: [where, who, sent], led: 'blue', sound: 'none' };
  const led = window.kind === 'message' ? window.colour : 'yellow';
  return { lines: [where, ...windowRows(window)], led, sound: 'none' };
}

function windowRows(window: Window): string[] {
  if (window.kind !== 'progress') return wrapped(window.text);
  const { stage, done, total } = window;
  return ['Sync', stage, total === 0 ? '' : `${done} of ${total}`];
}

/** A text on as many rows as it takes. */
function wrapped(text: string): string[] {
  const rows: string[] = [];
  for (const word of text.split(' ')) {
    const last = rows.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= DISPLAY_COLUMNS)
      rows[rows.length - 1] = `${last} ${word}`;
    else rows.push(word);
  }
  return rows;
}
