import type { Medium } from '@whorl/device-emulator';
import { decodeRun, KeyRing, Runs, showPacket, wireMs } from '@whorl/protocol';
import type { CapturedLine, Clock, Crossed, LoggedKeys } from '@whorl/protocol';

interface Kept extends Crossed {
  readonly line: string;
}

/** Runs that are kept of what crossed the lines. */
const KEPT = 4_000;
/** Of these so many are shown, without those that say nothing. */
const SHOWN = 200;
const IDLE: readonly string[] = ['invitation', 'nothing', 'here'];

/** The last that lines said, kept in memory to be shown when something fails. */
export class Timeline {
  #runs: Kept[] = [];
  readonly #keys: LoggedKeys[] = [];

  /** @param clock of the medium */
  tap(line: CapturedLine, medium: Medium, clock: Clock): void {
    const startMs = clock.wallTime() - clock.now();
    const runs = this.#of(line);
    medium.tap((bytes, fromGateway, { noise, endMs }) => {
      const direction = fromGateway ? 'to-terminal' : noise ? undefined : 'to-gateway';
      runs.push(bytes, 1000 * (startMs + endMs), direction);
    });
  }

  readonly tellKeys = (keys: LoggedKeys): void => {
    this.#keys.push(keys);
  };

  /** Takes bytes as the gateway's end of a line has them. */
  listen(line: CapturedLine, clock: Clock): (bytes: Uint8Array, fromGateway: boolean) => void {
    const runs = this.#of(line);
    return (bytes, fromGateway) => {
      runs.push(bytes, 1000 * clock.wallTime(), fromGateway ? 'to-terminal' : 'to-gateway');
    };
  }

  /** What was said last, decoded where keys are known, secrets masked; a packet a line. */
  show(): readonly string[] {
    const ring = new KeyRing(this.#keys);
    return this.#runs
      .map((run) => ({ ...run, decoded: decodeRun(run.bytes, ring) }))
      .filter(({ decoded }) => !IDLE.includes(decoded.kind))
      .slice(-SHOWN)
      .map((packet) => showPacket(packet));
  }

  #of({ name, baud }: CapturedLine): Runs {
    return new Runs(baud === undefined ? 0 : 1000 * wireMs(1, baud), (run) => {
      this.#runs.push({ ...run, line: name });
      if (this.#runs.length >= 2 * KEPT) this.#runs = this.#runs.slice(-KEPT);
    });
  }
}
