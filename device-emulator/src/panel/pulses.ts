import type { FrameEvent } from './traffic.ts';

/** A frame on its way along the drawn wire. */
export interface Pulse {
  readonly form: FrameEvent['form'];
  readonly bytes: number;
  /** Places on the wire, 0 the gateway’s end, 1 the far one. */
  readonly from: number;
  readonly to: number;
  readonly showAt: number;
}

const TRAVEL_MS = 520;
/** More than these nobody can tell apart. */
const MOST = 90;

/** Of many the first one still stands beside the gateway, and not in it. */
const NEAREST = 0.12;

/** Where a terminal is drawn on its wire: 0 at the gateway, 1 at the far end. */
export function placeOf(index: number, count: number): number {
  const first = Math.max(NEAREST, 1 / count);
  return count <= 1 ? 1 : first + ((1 - first) * index) / (count - 1);
}

/** What moves along a wire, never more than can be seen. */
export class Pulses {
  #pulses: Pulse[] = [];

  /** @param place of the terminal that says or is told it; of the far end when it is for all */
  add({ form, bytes, direction }: FrameEvent, place: number, showAt: number): void {
    if (this.#pulses.length >= MOST) return;
    const [from, to] = direction === 'to-gateway' ? [place, 0] : direction === null ? [1, 0] : [0, place];
    this.#pulses.push({ form, bytes, from, to, showAt });
  }

  /** Those to be drawn, with where they are; what has arrived is forgotten. */
  at(now: number): { readonly pulse: Pulse; readonly place: number }[] {
    this.#pulses = this.#pulses.filter(({ showAt }) => now < showAt + TRAVEL_MS);
    return this.#pulses
      .filter(({ showAt }) => showAt <= now)
      .map((pulse) => {
        const gone = (now - pulse.showAt) / TRAVEL_MS;
        return { pulse, place: pulse.from + (pulse.to - pulse.from) * gone };
      });
  }
}
