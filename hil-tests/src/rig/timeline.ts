import type { Medium } from '@whorl/device-emulator';
import {
  addressOfDecoded,
  decodeRun,
  directionOf,
  KeyRing,
  Runs,
  showDecoded,
  showPacket,
  wireMs,
} from '@whorl/protocol';
import type { CapturedLine, Clock, Crossed, Decoded, LoggedKeys } from '@whorl/protocol';

interface Kept extends Crossed {
  readonly line: string;
}

/** Runs that are kept of what crossed the lines. */
const KEPT = 4_000;
/** Of these so many are shown, without those that say nothing. */
const SHOWN = 200;
/** So long a silence is worth a line of its own. */
const LONG_US = 500_000;
const IDLE: readonly string[] = ['invitation', 'nothing', 'here'];

/** A packet of a {@link Timeline}. */
export interface TimelineRow {
  /** Microseconds since 1970 UTC. */
  readonly timeUs: number;
  readonly line: string;
  readonly from: 'gateway' | 'terminal' | 'nobody';
  /** 0 for all of the line; none when it cannot be told. */
  readonly address: number | null;
  readonly kind: Decoded['kind'];
  /** Message and fields, secrets masked. */
  readonly text: string;
  /** All of it in one line. */
  readonly shown: string;
}

function rowOf(packet: Kept & { readonly decoded: Decoded }): TimelineRow {
  const { timeUs, line, decoded } = packet;
  const way = directionOf(decoded) ?? packet.direction;
  return {
    ...{ timeUs, line, kind: decoded.kind, text: showDecoded(decoded), shown: showPacket(packet) },
    from: way === undefined ? 'nobody' : way === 'to-terminal' ? 'gateway' : 'terminal',
    address: addressOfDecoded(decoded) ?? null,
  };
}

/** What stands at the end of a timeline when nobody had anything to say for a while. */
function idleUntil({ timeUs, line }: Kept, idleUs: number): TimelineRow {
  const text = `idle for ${(idleUs / 1e6).toFixed(1)} s: calls and invitations, and nobody had anything to say`;
  return { ...{ timeUs, line, text, shown: text }, from: 'nobody', address: null, kind: 'nothing' };
}

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

  /** What was said last, decoded where keys are known, secrets masked; where lines idled since, that ends it. */
  show(): readonly TimelineRow[] {
    const ring = new KeyRing(this.#keys);
    const rows = this.#runs
      .map((run) => ({ ...run, decoded: decodeRun(run.bytes, ring) }))
      .filter(({ decoded }) => !IDLE.includes(decoded.kind))
      .slice(1 - SHOWN)
      .map(rowOf);
    const [said, heard] = [rows.at(-1), this.#runs.at(-1)];
    const idleUs = said === undefined || heard === undefined ? 0 : heard.timeUs - said.timeUs;
    return heard === undefined || idleUs < LONG_US ? rows : [...rows, idleUntil(heard, idleUs)];
  }

  #of({ name, baud }: CapturedLine): Runs {
    return new Runs(baud === undefined ? 0 : 1000 * wireMs(1, baud), (run) => {
      this.#runs.push({ ...run, line: name });
      if (this.#runs.length >= 2 * KEPT) this.#runs = this.#runs.slice(-KEPT);
    });
  }
}
