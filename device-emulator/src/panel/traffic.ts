import type { FleetEvent } from '../events/event.ts';

export type FrameEvent = Extract<FleetEvent, { kind: 'frame' }>;

/** What crossed a line in the last seconds, a second on average. */
export interface Rates {
  readonly frames: number;
  readonly bytes: number;
  readonly damaged: number;
}

/** Frames kept of each line. */
const KEPT = 400;
const SLOTS = 60;
/** A bar of the chart stands for so long. */
export const SLOT_MS = 200;
/** Rates are told over so many slots. */
const RATED = 10;

interface Slot {
  index: number;
  frames: number;
  bytes: number;
  damaged: number;
}

/** What a line says many times a second while nothing happens. */
export function isIdle({ message, form, bytes }: FrameEvent): boolean {
  return message === 'invitation' || isDelimiter({ message, form, bytes });
}

/** It wakes the receivers before a frame. */
export function isDelimiter({
  message,
  form,
  bytes,
}: Pick<FrameEvent, 'message' | 'form' | 'bytes'>): boolean {
  return message === null && form === 'short' && bytes === 1;
}

/** What crossed one line lately, in bounded memory; all times are those of the emulator, milliseconds. */
export class LineTraffic {
  readonly #frames: FrameEvent[] = [];
  /** The same without what is said while nothing happens, which would soon be all there is. */
  readonly #told: FrameEvent[] = [];
  readonly #slots: Slot[] = Array.from({ length: SLOTS }, () => ({
    index: -1,
    frames: 0,
    bytes: 0,
    damaged: 0,
  }));

  push(frame: FrameEvent): void {
    for (const list of isIdle(frame) ? [this.#frames] : [this.#frames, this.#told]) {
      list.push(frame);
      if (list.length > 2 * KEPT) list.splice(0, list.length - KEPT);
    }
    const index = Math.floor(frame.time / SLOT_MS);
    const slot = this.#slots[index % SLOTS];
    if (slot === undefined) return;
    if (slot.index !== index) Object.assign(slot, { index, frames: 0, bytes: 0, damaged: 0 });
    slot.frames += 1;
    slot.bytes += frame.bytes;
    if (frame.form === 'damaged') slot.damaged += 1;
  }

  /** The newest frames, newest first. @param idle also what is said while nothing happens */
  newest(most: number, idle = true): FrameEvent[] {
    return (idle ? this.#frames : this.#told).slice(-most).reverse();
  }

  /** @param now time of the emulator */
  rates(now: number): Rates {
    const last = Math.floor(now / SLOT_MS) - 1;
    const sum = { frames: 0, bytes: 0, damaged: 0 };
    for (const slot of this.#slots) {
      if (slot.index > last || slot.index <= last - RATED) continue;
      sum.frames += slot.frames;
      sum.bytes += slot.bytes;
      sum.damaged += slot.damaged;
    }
    const seconds = (RATED * SLOT_MS) / 1000;
    return { frames: sum.frames / seconds, bytes: sum.bytes / seconds, damaged: sum.damaged / seconds };
  }

  /** Bytes and damage slot by slot, the newest last. */
  bars(now: number): readonly { readonly bytes: number; readonly damaged: boolean }[] {
    const last = Math.floor(now / SLOT_MS);
    return Array.from({ length: SLOTS }, (_, at) => {
      const index = last - SLOTS + 1 + at;
      const slot = this.#slots[((index % SLOTS) + SLOTS) % SLOTS];
      return slot?.index === index
        ? { bytes: slot.bytes, damaged: slot.damaged > 0 }
        : { bytes: 0, damaged: false };
    });
  }
}

/**
 * When, by the page's clock, something is shown that happened at a time of the emulator: as evenly as it happened,
 * though it comes in heaps.
 */
export class Playback {
  readonly #lagMs: number;
  #offset: number | undefined;

  constructor(lagMs: number) {
    this.#lagMs = lagMs;
  }

  /** Something that happened at `time` has come at `pageTime`. @returns when it is shown */
  at(time: number, pageTime: number): number {
    const offset = pageTime - time;
    // What came fastest tells the clocks apart best; a clock that was set is followed at once.
    if (this.#offset === undefined || offset < this.#offset || offset > this.#offset + 5_000)
      this.#offset = offset;
    return time + this.#offset + this.#lagMs;
  }

  /** What the emulator's clock shows; `undefined` before anything has come. */
  emulatorTime(pageTime: number): number | undefined {
    return this.#offset === undefined ? undefined : pageTime - this.#offset;
  }
}
