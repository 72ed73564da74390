import { BROADCAST, isMember } from '@whorl/protocol';
import type { FrameHeader } from '@whorl/protocol';
import type { Packet } from './packets.ts';
import type { Fate, Said } from './recording.ts';
import { minorOf, whatOf } from './what.ts';

/** An answer to somebody who was asked before the last one is late. */
interface Asked {
  readonly packet: Packet;
  readonly address: number;
  readonly sequence: number;
  readonly fate: { -readonly [Name in keyof Fate]: Fate[Name] };
  answered: boolean;
  /** It turned out that there was nothing to be told. */
  isIdle: boolean;
}

/** What was said, and what became of it. */
export interface Exchanges {
  readonly said: Said[];
  /** By line and address: when nobody answered there, milliseconds from and to. */
  readonly silent: ReadonlyMap<string, readonly (readonly [number, number])[]>;
  /** By packet of what was asked of one terminal: what became of it, unless it was answered as it should be. */
  readonly fates: ReadonlyMap<number, Fate>;
  /** By packet of an answer, that of what had been asked. */
  readonly asked: ReadonlyMap<number, number>;
}

/** Pairs what the gateway asked with what it was answered. */
export function exchangesOf(packets: readonly Packet[]): Exchanges {
  const said: Said[] = [];
  const silences = new Map<string, Silence>();
  const fates = new Map<number, Fate>();
  const to = new Map<number, number>();
  for (const some of Map.groupBy(packets, ({ line }) => line).values()) {
    const asked = lineOf(some, { said, silences, to });
    tellFates(asked, said, fates);
  }
  const end = packets.at(-1)?.atMs ?? 0;
  return {
    said: said.sort((a, b) => a.packet - b.packet),
    silent: new Map([...silences].map(([place, silence]) => [place, silence.spans(end)])),
    fates,
    asked: to,
  };
}

interface Found {
  readonly said: Said[];
  readonly silences: Map<string, Silence>;
  readonly to: Map<number, number>;
}

/** @returns what was asked on a line */
function lineOf(packets: readonly Packet[], { said, silences, to }: Found): readonly Asked[] {
  const asked: Asked[] = [];
  let spoilt: Packet | undefined;
  for (const [i, packet] of packets.entries()) {
    const { decoded, direction, line } = packet;
    switch (decoded.kind) {
      case 'damaged': {
        if (direction === 'to-terminal') spoilt = packet;
        const last = asked.at(-1);
        if (direction === 'to-terminal' || last === undefined) break;
        last.fate.damaged = true;
        // A sign of life, whatever it was to say.
        if (direction === 'to-gateway') silenceAt(silences, line, last.address).answered();
        break;
      }
      case 'here':
      case 'hand':
        silenceAt(silences, line, decoded.address).answered();
        break;
      case 'plain':
      case 'opened':
      case 'sealed': {
        const words = wordsOf(decoded);
        const { address, fromTerminal } = decoded.header;
        if (words !== undefined) said.push({ ...saidBy(packet, address, fromTerminal), ...words });
        if (fromTerminal) {
          silenceAt(silences, line, address).answered();
          const gapMs = packet.atMs - packet.tookMs - (packets[i - 1]?.atMs ?? 0);
          const request = answered(asked, packet, gapMs);
          if (request !== undefined) to.set(packet.number, request.packet.number);
          break;
        }
        for (const one of meant(decoded, silences, line)) silenceAt(silences, line, one).asked(packet.atMs);
        // It is said once more: what was spoilt is told as what it must have been.
        if (spoilt !== undefined && words !== undefined)
          said.push({ ...saidBy(spoilt, address, false), ...words, fate: { lost: true } });
        spoilt = undefined;
        asked.push({ packet, ...decoded.header, fate: {}, answered: false, isIdle: false });
        break;
      }
      default:
    }
  }
  return asked;
}

type Frame = Extract<
  Packet['decoded'],
  { readonly header: FrameHeader; readonly kind: 'plain' | 'opened' | 'sealed' }
>;

function wordsOf(decoded: Frame): Pick<Said, 'what' | 'minor'> | undefined {
  if (decoded.kind === 'sealed') return undefined;
  const what = whatOf(decoded.message);
  if (what !== undefined) return { what };
  const minor = minorOf(decoded.message);
  return minor === undefined ? undefined : { what: minor, minor: true };
}

function silenceAt(silences: Map<string, Silence>, line: string, address: number): Silence {
  const place = `${line} ${address}`;
  const known = silences.get(place) ?? new Silence();
  silences.set(place, known);
  return known;
}

/**
 * Who is asked; of a roll those who are called, of all that have ever been heard or asked. Nobody answers a chunk, nor
 * what no key opens, for that may be damaged.
 */
function meant(decoded: Frame, silences: ReadonlyMap<string, Silence>, line: string): readonly number[] {
  const { address } = decoded.header;
  if (decoded.kind === 'sealed' || decoded.message.name === 'chunk') return [];
  if (address !== BROADCAST) return [address];
  if (decoded.message.name !== 'roll.call') return [];
  const { body } = decoded.message;
  return [...silences.keys()]
    .filter((place) => place.startsWith(`${line} `))
    .map((place) => Number(place.slice(line.length + 1)))
    .filter((one) => isMember(body, one));
}

function saidBy(
  { number, atMs, line }: Packet,
  address: number,
  fromTerminal: boolean,
): Omit<Said, 'what' | 'minor' | 'fate'> {
  return { packet: number, atMs, line, address, from: fromTerminal ? 'terminal' : 'gateway' };
}

/**
 * @param gapMs for which nobody had spoken before it
 * @returns what it answers, if that is known
 */
function answered(asked: readonly Asked[], packet: Packet, gapMs: number): Asked | undefined {
  const { decoded } = packet;
  if (decoded.kind !== 'plain' && decoded.kind !== 'opened' && decoded.kind !== 'sealed') return undefined;
  const { address, sequence } = decoded.header;
  const mine = (one: Asked): boolean =>
    one.address === address && one.sequence === sequence && packet.atMs - one.packet.atMs < LATEST_MS;
  const last = asked.at(-1);
  const isPrompt = last !== undefined && mine(last) && gapMs < PROMPT_MS;
  const request = isPrompt ? last : asked.find((one) => !one.answered && mine(one));
  if (request === undefined) return undefined;
  if (!isPrompt && !request.answered) request.fate.lateMs = packet.atMs - packet.tookMs - request.packet.atMs;
  request.answered = true;
  const message = decoded.kind === 'sealed' ? undefined : decoded.message;
  if (message?.name === 'logs.page' && message.body.records.length === 0) request.isIdle = true;
  if (message?.name === 'refused') request.fate.refused = message.body.reason;
  return request;
}

/** What was asked of one terminal and came to nothing is lost; retries then tell what became of it. */
function tellFates(asked: readonly Asked[], said: Said[], fates: Map<number, Fate>): void {
  const byPacket = new Map(said.map((one) => [one.packet, one]));
  for (const { packet, address, fate, answered: isAnswered, isIdle } of asked) {
    if (address === BROADCAST) continue;
    if (!isAnswered && fate.damaged !== true) fate.lost = true;
    if (isAnswered) delete fate.damaged;
    const one = byPacket.get(packet.number);
    if (isIdle && one !== undefined) one.minor = true;
    if (Object.keys(fate).length === 0) continue;
    fates.set(packet.number, fate);
    if (one !== undefined) one.fate = fate;
  }
}

/** When a terminal was asked and gave no sign of life. */
class Silence {
  readonly #spans: [number, number][] = [];
  #since: number | undefined;
  /** When it was asked last, and when before that. */
  #last = 0;
  #before = 0;
  #times = 0;

  asked(atMs: number): void {
    this.#since ??= atMs;
    this.#before = this.#last;
    this.#last = atMs;
    this.#times += 1;
  }

  /** What was asked last has been answered: by then it was there again. */
  answered(): void {
    if (this.#since !== undefined && this.#times > FEWEST)
      this.#spans.push([this.#since, (this.#before + this.#last) / 2]);
    this.#since = undefined;
    this.#times = 0;
  }

  spans(end: number): [number, number][] {
    const open = this.#since !== undefined && this.#times >= FEWEST;
    return open ? [...this.#spans, [this.#since ?? 0, end + 1]] : this.#spans;
  }
}

/** An answer that comes so soon is to what was asked last; of several tries it can be to any. */
const PROMPT_MS = 25;
const LATEST_MS = 5_000;
/** So often in a row a terminal must have been asked in vain to be taken for silent. */
const FEWEST = 3;
