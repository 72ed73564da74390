import { z } from 'zod';
import { eventSchema } from '../events/event.ts';
import type { FleetEvent } from '../events/event.ts';
import { detailsView, faultsView, lineView, moduleView, refusalView, terminalView } from './shapes.ts';
import type { Details } from './shapes.ts';
import { apply, NOTHING_YET, staleAfter, withSnapshot } from './state.ts';
import type { State } from './state.ts';
import { LineTraffic, Playback } from './traffic.ts';
import type { FrameEvent } from './traffic.ts';

/** `gone`: it was there and does not answer; it is asked again and again. */
export type LinkState = 'connecting' | 'live' | 'gone' | 'lost';

const PLAYBACK_LAG_MS = 150;

/**
 * What is known of the site, kept up to date by the emulator's stream; tells `change` when it is not the same any more, `loaded`
 * when all of it was asked for anew, and `happened` with each event.
 */
export class Store extends EventTarget {
  readonly traffic = new Map<string, LineTraffic>();
  readonly playback = new Playback(PLAYBACK_LAG_MS);
  state: State = NOTHING_YET;
  link: LinkState = 'connecting';
  /** Who stands before the terminals, whichever of them: a user’s id; 0 for a stranger. */
  person = 0;
  /** What could not be done last. */
  refusal: string | undefined;
  #paused = false;
  readonly #watchers = new Set<(frame: FrameEvent, showAt: number) => void>();
  /** Events that come while things are asked for; they stand above what is answered. */
  #waiting: FleetEvent[] | undefined;
  readonly #asked = new Set<string>();

  /** Follows the emulator from now on. */
  follow(): void {
    const stream = new EventSource('/events');
    stream.addEventListener('open', () => void this.#load());
    stream.addEventListener('error', () => {
      const isOver = stream.readyState === EventSource.CLOSED;
      this.#set({ link: isOver ? 'lost' : this.link === 'connecting' ? 'connecting' : 'gone' });
    });
    stream.addEventListener('message', ({ data, timeStamp }: MessageEvent<string>) => {
      this.#take(data, timeStamp);
    });
  }

  /** The traffic stands still, so that it can be read; all else goes on. */
  get paused(): boolean {
    return this.#paused;
  }

  pause(paused: boolean): void {
    this.#paused = paused;
    this.#changed();
  }

  setPerson(person: number): void {
    this.#set({ person });
  }

  /** Calls `told` with each frame and the time of the page to show it. @returns what ends that */
  onFrame(told: (frame: FrameEvent, showAt: number) => void): () => void {
    this.#watchers.add(told);
    return () => void this.#watchers.delete(told);
  }

  /**
   * Does something.
   * @param path such as `/terminals/terminal-1/power-off`
   * @returns what it answers; `undefined` when it was refused, and then {@link Store.refusal} says why
   */
  async act(path: string, given: object = {}, method: 'POST' | 'DELETE' = 'POST'): Promise<unknown> {
    const body = method === 'POST' ? { body: JSON.stringify(given) } : {};
    const headers = method === 'POST' ? { 'content-type': 'application/json' } : undefined;
    try {
      const answer = await ask(path, { method, ...body, ...(headers === undefined ? {} : { headers }) });
      this.#set({ refusal: undefined });
      return answer;
    } catch (error) {
      this.#set({ refusal: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  dismiss(): void {
    this.#set({ refusal: undefined });
  }

  /** All about a terminal; `undefined` when it cannot be had. */
  async details(terminal: string): Promise<Details | undefined> {
    try {
      return detailsView.parse(await ask(`/terminals/${encodeURIComponent(terminal)}?logs=100`));
    } catch {
      return undefined;
    }
  }

  async #load(): Promise<void> {
    this.#waiting = [];
    try {
      const [lines, terminals, modules, faults] = await Promise.all([
        ask('/lines'),
        ask('/terminals'),
        ask('/modules'),
        ask('/faults'),
      ]);
      const { active, ...all } = faultsView.parse(faults);
      this.state = {
        lines: byName(z.array(lineView).parse(lines)),
        terminals: byName(z.array(terminalView).parse(terminals)),
        modules: byName(z.array(moduleView).parse(modules)),
        active,
        faults: all,
      };
      for (const event of this.#waiting) this.state = apply(this.state, event);
      this.#set({ link: 'live', refusal: undefined });
      this.dispatchEvent(new Event('loaded'));
    } catch (error) {
      this.#set({ link: 'lost', refusal: error instanceof Error ? error.message : String(error) });
    }
    this.#waiting = undefined;
  }

  #take(data: string, pageTime: number): void {
    const event = eventSchema.parse(JSON.parse(data));
    if (event.kind === 'frame') this.#takeFrame(event, pageTime);
    else if (this.#waiting !== undefined) this.#waiting.push(event);
    else if (event.kind === 'missed') void this.#load();
    else {
      const before = this.state;
      this.state = apply(before, event);
      if (this.state !== before) this.#changed();
      const stale = staleAfter(event);
      if (stale !== undefined) void this.#askAgain(stale);
      this.dispatchEvent(new CustomEvent('happened', { detail: event }));
    }
  }

  #takeFrame(frame: FrameEvent, pageTime: number): void {
    const showAt = this.playback.at(frame.time, pageTime);
    if (this.#paused) return;
    let traffic = this.traffic.get(frame.line);
    if (traffic === undefined) this.traffic.set(frame.line, (traffic = new LineTraffic()));
    traffic.push(frame);
    for (const told of this.#watchers) told(frame, showAt);
  }

  /** Asks once for all that is stale of a terminal until it has answered. */
  async #askAgain(terminal: string): Promise<void> {
    if (this.#asked.has(terminal)) return;
    this.#asked.add(terminal);
    try {
      const answer = await ask(`/terminals/${encodeURIComponent(terminal)}?logs=0&digests=no`);
      this.#asked.delete(terminal);
      this.state = withSnapshot(this.state, terminalView.parse(answer));
      this.#changed();
    } catch {
      this.#asked.delete(terminal);
    }
  }

  #set(change: Partial<Pick<Store, 'link' | 'person' | 'refusal'>>): void {
    Object.assign(this, change);
    this.#changed();
  }

  #changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

function byName<Of extends { readonly name: string }>(all: readonly Of[]): Map<string, Of> {
  return new Map(all.map((one) => [one.name, one]));
}

/** @throws Error what the emulator refused with, or that it does not answer */
async function ask(path: string, options: RequestInit = {}): Promise<unknown> {
  const answer = await fetch(path, options).catch(() => {
    throw new Error('The emulator does not answer.');
  });
  const value: unknown = await answer.json();
  if (answer.ok) return value;
  const { message, remedy } = refusalView.parse(value);
  throw new Error(`${message.slice(0, 1).toUpperCase()}${message.slice(1)}. ${remedy}`);
}
