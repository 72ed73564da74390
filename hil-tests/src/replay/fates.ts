import type { SeatTrouble } from '@whorl/device-emulator/bus/trouble';
import { decodeRun, KeyRing, REFUSALS } from '@whorl/protocol';
import type { Clock, LoggedKeys, Message, Refusal } from '@whorl/protocol';
import type { Fate, Recording, Said, Seat } from './recording.ts';
import { minorOf, whatOf } from './what.ts';

/** A bit of an answer that is flipped where the recorded one arrived damaged. */
const FLIPPED_AT = 3;
/** A fate is that of a request said again if both came within so much of each other, milliseconds. */
const SLACK_MS = 10_000;

/** Lets happen to what is said at the stage what happened to it on the recorded wire. */
export class Fates {
  readonly #recording: Recording;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #keys: readonly LoggedKeys[];
  #ring = new KeyRing([]);
  #known = 0;

  /** @param keys of the stage, as they are told */
  constructor(recording: Recording, clock: Pick<Clock, 'now'>, keys: readonly LoggedKeys[]) {
    this.#recording = recording;
    this.#clock = clock;
    this.#keys = keys;
  }

  /** What goes wrong with a terminal's end of the wire, and what it refuses. */
  of({ line, address, silent }: Pick<Seat, 'line' | 'address' | 'silent'>): {
    readonly trouble: SeatTrouble;
    readonly refuses: () => Refusal | undefined;
  } {
    const left = this.#recording.said.filter(
      (one) => one.from === 'gateway' && one.line === line && one.address === address,
    );
    let fate: Fate | undefined;
    const trouble: SeatTrouble = {
      hears: (stuffed) => {
        const now = this.#clock.now();
        fate = this.#next(left, this.#read(stuffed), now);
        const isSilent = silent.some(([from, to]) => now >= from && now < to);
        return fate?.lost === true || (isSilent && fate === undefined) ? undefined : stuffed;
      },
      says: (wire) => [{ wire: fate?.damaged === true ? damaged(wire) : wire, afterMs: fate?.lateMs ?? 0 }],
    };
    return { trouble, refuses: () => (isRefusal(fate?.refused) ? fate.refused : undefined) };
  }

  /** The fate of the next request of these words, which is taken out of those that are left. */
  #next(left: Said[], message: Message | undefined, now: number): Fate | undefined {
    const what = message === undefined ? undefined : (whatOf(message) ?? minorOf(message));
    const at = left.findIndex((one) => one.what === what && Math.abs(one.atMs - now) < SLACK_MS);
    if (what === undefined || at === -1) return undefined;
    const [one] = left.splice(at, 1);
    return one?.fate ?? {};
  }

  #read(stuffed: Uint8Array): Message | undefined {
    if (this.#keys.length !== this.#known) {
      this.#known = this.#keys.length;
      this.#ring = new KeyRing(this.#keys);
    }
    const decoded = decodeRun(Uint8Array.from([...stuffed, 0]), this.#ring);
    return decoded.kind === 'opened' || decoded.kind === 'plain' ? decoded.message : undefined;
  }
}

export function isRefusal(reason: string | undefined): reason is Refusal {
  return reason !== undefined && Object.hasOwn(REFUSALS, reason);
}

export function damaged(wire: Uint8Array): Uint8Array {
  const hit = wire.slice();
  // Never a delimiter out of something else, nor something else out of it.
  const at = hit.findIndex((byte, index) => index >= FLIPPED_AT && byte > 1);
  if (at >= 0) hit[at] = (hit[at] ?? 0) ^ 1;
  return hit;
}
