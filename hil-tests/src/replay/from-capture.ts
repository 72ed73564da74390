import { counted, FIELDS, LOG_KINDS, recordOf, WhorlError, writeRecord } from '@whorl/protocol';
import type {
  Body,
  CapturedLine,
  CapturedPacket,
  KeyRing,
  LogRecord,
  Message,
  UserRecord,
} from '@whorl/protocol';
import { dumpSchema, pseudonymous } from '@whorl/device-emulator/fleet/dump';
import { asksOf } from './asks.ts';
import { exchangesOf } from './exchanges.ts';
import { Objects } from './objects.ts';
import { readPackets } from './packets.ts';
import type { Packet } from './packets.ts';
import type { Deed, Recording, Seat } from './recording.ts';

const ENROLLED = LOG_KINDS['user.enrolled'].code;
const CHANGES: readonly number[] = [ENROLLED, LOG_KINDS['user.edited'].code];
const DELETED = LOG_KINDS['user.deleted'].code;
const STARTED = LOG_KINDS['terminal.started'].code;
/** An operator did something so long before the gateway began to send it. */
const OPERATOR_MS = 20;
/** So long it takes to be asked and to answer. */
const AT_ONCE_MS = 10;
/** What stood in an answer had happened so long before the question. */
const BEFORE_MS = 1;

export interface CaptureParts {
  readonly captured: readonly CapturedPacket[];
  readonly keys: KeyRing;
  /** For the pseudonyms; 32 random bytes that nobody keeps. */
  readonly salt: Uint8Array;
}

/**
 * Makes of a capture what can be done again: what terminals were and held, what people did and when, what the gateway
 * said, and what became of it on the wire. Users get pseudonyms, as in a dump; ids, times and sizes stay.
 * @throws WhorlError REPLAY_EMPTY when nothing in it can be understood
 */
export function recordingOf({ captured, keys, salt }: CaptureParts): Recording {
  const packets = readPackets(captured, keys);
  const exchanges = exchangesOf(packets);
  const { said, silent, asked } = exchanges;
  const byNumber = new Map(packets.map((packet) => [packet.number, packet]));
  const unopened = packets.filter(({ decoded }) => decoded.kind === 'sealed').length;
  const began = Math.floor((captured[0]?.timeUs ?? 0) / 1000);
  const reader = new Reader(began);
  for (const packet of packets) reader.take(packet, byNumber.get(asked.get(packet.number) ?? 0));
  reader.standIn();
  const { seats, deeds } = reader;
  if (seats.size === 0) throw new WhorlError('REPLAY_EMPTY', whyEmpty(packets, captured.length, keys));
  const told = (record: UserRecord): Deed['put'] => [shown(pseudonymous(record, salt))];
  const lines = new Map(captured.map(({ line }) => [line.name, line]));
  return {
    recording: 2,
    began,
    lastsMs: packets.at(-1)?.atMs ?? 0,
    lines: [...lines.values()].map(lineOf),
    seats: [...seats.values()].map((seat) => ({
      ...seat.is,
      log: logOf(seat),
      users: [...seat.held.values()].map((record) => shown(pseudonymous(record, salt))),
      silent: (silent.get(`${seat.is.line} ${seat.is.address}`) ?? []).map(([from, to]) => [from, to]),
    })),
    deeds: deeds
      .map(({ user, ...deed }) => ({ ...deed, ...(user === undefined ? {} : { put: told(user) }) }))
      .sort((a, b) => a.atMs - b.atMs),
    said,
    ...asksOf(packets, exchanges, salt),
    packets: packets.length,
    unopened,
  };
}

/** Why no terminal in it can be made again: none is seen to say what it is. */
function whyEmpty(packets: readonly Packet[], captured: number, keys: KeyRing): string {
  if (captured === 0) return 'there are no packets in it';
  if (packets.length === 0) return `none of its ${counted(captured, 'packet')} is of a line of terminals`;
  const kinds = packets.map(({ decoded }) => decoded.kind);
  const sealed = kinds.filter((kind) => kind === 'sealed').length;
  if (kinds.includes('opened')) return 'its sessions began before it does: no terminal says in it what it is';
  if (sealed === 0) return `no session is opened in its ${counted(packets.length, 'packet')}`;
  return keys.isEmpty
    ? `${counted(sealed, 'packet is', 'packets are')} sealed, and no keys were given`
    : `${counted(sealed, 'packet is', 'packets are')} sealed, and none of the keys that were given opens one: they are of another time`;
}

function lineOf({ name, baud }: CapturedLine): Recording['lines'][number] {
  return { name, ...(baud === undefined ? {} : { baud }) };
}

function shown({ id, fields }: UserRecord): Seat['users'][number] {
  const told = [...fields].map(([field, bytes]) => [String(field), Buffer.from(bytes).toString('hex')]);
  return { id, fields: Object.fromEntries(told) as Record<string, string> };
}

/** Of what the log held in the beginning, the newest without a gap: what stands before that was never read. */
function logOf({ first, before }: Known): Seat['log'] {
  const records: LogRecord[] = [];
  for (let id = first.last; id > 0; id -= 1) {
    const record = before.get(id);
    if (record === undefined) break;
    records.unshift(record);
  }
  return { last: first.last, records };
}

interface Known {
  is: Omit<Seat, 'log' | 'users' | 'silent'>;
  readonly first: Body<'welcome'>['log'];
  /** Records that the log held in the beginning. */
  readonly before: Map<number, LogRecord>;
  readonly held: Map<number, UserRecord>;
  boots: number;
  /** When it was last heard of in a session, and first outside of one since. */
  alive: number;
  back: number | undefined;
  /** Newest record that was read. */
  read: number;
  /** When it was first seen to have news since what it had told was acknowledged. */
  news: number | undefined;
  /** What it told is not acknowledged: until then its attention is that of before. */
  unacknowledged: boolean;
  /** When it was asked for its log last; of several tries the first, as it may have heard any of them. */
  asked: number;
  /** Number of that request. */
  sequence: number | undefined;
}

function asked(seat: Known, atMs: number, after: number, sequence: number): void {
  if (seat.is.position === undefined) seat.is = { ...seat.is, position: after };
  if (after >= seat.read) seat.unacknowledged = false;
  if (seat.sequence !== sequence) seat.asked = Math.max(0, atMs - BEFORE_MS);
  seat.sequence = sequence;
}

function heardOf(seat: Known, atMs: number, inSession: boolean): void {
  if (inSession) {
    seat.alive = atMs;
    seat.back = undefined;
  } else seat.back ??= atMs;
}

/** Somebody of whom nothing is known but how many bytes they are on the wire. */
function ofSize(id: number, bytes: number): UserRecord {
  const of = (length: number): UserRecord =>
    recordOf(id, length < 0 ? [] : [[FIELDS.photo.number, new Uint8Array(length)]]);
  return of(bytes - writeRecord(of(0)).length);
}

type Draft = Deed & { user?: UserRecord };

/** Follows what terminals tell of themselves. */
class Reader {
  readonly seats = new Map<string, Known>();
  readonly deeds: Draft[] = [];
  readonly #objects = new Objects();
  /** Where each user was changed last by people, as far as it was told. */
  readonly #changes = new Map<string, Draft>();
  /** Users whom terminals said to have deleted. */
  readonly #deleted = new Set<number>();
  /** By line and address: whom it was asked for last; with them, how large it said they are. */
  readonly #pulled = new Map<string, number>();
  readonly #offered = new Map<string, number>();
  /** Users of whom it is known where they came from. */
  readonly #known = new Set<number>();
  readonly #began: number;

  /** @param began milliseconds UTC */
  constructor(began: number) {
    this.#began = began;
  }

  /** @param question what it answers, if that is known */
  take({ decoded, atMs, line }: Packet, question?: Packet): void {
    if (decoded.kind === 'here' || decoded.kind === 'hand') {
      const seat = this.seats.get(`${line} ${decoded.address}`);
      if (seat !== undefined) heardOf(seat, atMs, true);
      if (decoded.attention) this.#news(line, decoded.address, atMs);
      return;
    }
    if (decoded.kind !== 'opened' && decoded.kind !== 'plain') return;
    const { message, header } = decoded;
    const { address, fromTerminal } = header;
    // An answer tells what was so when it was asked for.
    if (header.attention)
      this.#news(line, address, question === undefined ? atMs : question.atMs - BEFORE_MS);
    if (message.name === 'welcome') this.#welcome(line, address, atMs, message.body);
    const seat = this.seats.get(`${line} ${address}`);
    if (message.name === 'logs.read' && seat !== undefined)
      asked(seat, atMs, message.body.after, header.sequence);
    if (message.name === 'logs.page' && seat !== undefined) this.#page(seat, message.body);
    const lane = `${line} ${address}`;
    if (message.name === 'user.pull') this.#pulled.set(lane, message.body.user);
    if (message.name === 'transfer.offered')
      this.#offered.set(`${lane} ${this.#pulled.get(lane) ?? 0}`, message.body.size);
    if (message.name === 'users.remove') this.#removed(line, atMs, message.body.users);
    this.#users({ line, address, atMs }, message, fromTerminal);
    if (fromTerminal && seat !== undefined) heardOf(seat, atMs, decoded.kind === 'opened');
  }

  /** Of who was enrolled and never came through the noise as a whole it is known that they are there, and how large. */
  standIn(): void {
    for (const change of this.#changes.values()) {
      const [{ user: id, code } = { user: 0, code: 0 }] = change.records;
      const held = this.seats.get(`${change.line} ${change.address}`)?.held.has(id) === true;
      if (code !== ENROLLED || change.user !== undefined || held) continue;
      change.user = ofSize(id, this.#offered.get(`${change.line} ${change.address} ${id}`) ?? 0);
    }
  }

  #news(line: string, address: number, atMs: number): void {
    const seat = this.seats.get(`${line} ${address}`);
    if (seat?.unacknowledged === false) seat.news ??= atMs;
  }

  #welcome(line: string, address: number, atMs: number, body: Body<'welcome'>): void {
    const place = `${line} ${address}`;
    const known = this.seats.get(place);
    if (known !== undefined) {
      if (body.boots > known.boots) {
        const goneMs = Math.max(0, (known.back ?? atMs) - known.alive - AT_ONCE_MS);
        this.deeds.push({ atMs: known.alive + BEFORE_MS, line, address, records: [], goneMs });
      }
      known.boots = body.boots;
      known.sequence = undefined;
      return;
    }
    const { serial, firmware, boots, log, capabilities } = body;
    this.seats.set(place, {
      is: {
        ...{ line, address, serial, firmware, epoch: log.epoch, boots },
        capabilities: dumpSchema.shape.capabilities.parse(capabilities),
        clock: { aheadMs: Math.round(body.clock - (this.#began + atMs)), ppm: 0 },
      },
      ...{ first: log, before: new Map(), held: new Map(), boots, read: 0, alive: atMs, back: undefined },
      ...{ news: undefined, unacknowledged: false, asked: atMs, sequence: undefined },
    });
  }

  /** What the log held before anything was seen to happen was there in the beginning. */
  #page(seat: Known, { records }: Body<'logs.page'>): void {
    const { line, address } = seat.is;
    const happened = records.filter(({ id }) => id > seat.first.last && id > seat.read);
    for (const record of records) if (record.id <= seat.first.last) seat.before.set(record.id, record);
    seat.read = Math.max(seat.read, records.at(-1)?.id ?? 0);
    const deeds = happened.filter(({ origin, code }) => origin === 'terminal' && code !== STARTED);
    for (const record of deeds) {
      const deed: Draft = {
        atMs: Math.min(seat.news ?? seat.asked, seat.asked),
        line,
        address,
        records: [record],
      };
      if (record.code === DELETED) {
        deed.dropped = [record.user];
        this.#deleted.add(record.user);
      }
      if (CHANGES.includes(record.code)) this.#changes.set(`${line} ${address} ${record.user}`, deed);
      this.deeds.push(deed);
    }
    if (records.length === 0) return;
    seat.news = undefined;
    seat.unacknowledged = true;
  }

  #users(at: { line: string; address: number; atMs: number }, message: Message, fromTerminal: boolean): void {
    const { line, address, atMs } = at;
    const place = fromTerminal || message.name === 'transfer.offered' ? `${line} ${address}` : line;
    for (const record of this.#objects.take(place, message, fromTerminal)) {
      const seat = this.seats.get(`${line} ${address}`);
      if (!fromTerminal) this.#sent(line, atMs, record);
      else {
        const change = this.#changes.get(`${line} ${address} ${record.id}`);
        if (change === undefined) seat?.held.set(record.id, record);
        else change.user = record;
        this.#known.add(record.id);
      }
    }
  }

  /** Whom no terminal had told of, somebody has added at the gateway. */
  #sent(line: string, atMs: number, user: UserRecord): void {
    if (this.#known.has(user.id)) return;
    this.#known.add(user.id);
    this.deeds.push({ atMs: Math.max(0, atMs - OPERATOR_MS), line, address: 0, records: [], user });
  }

  #removed(line: string, atMs: number, users: readonly number[]): void {
    const dropped = users.filter((user) => !this.#deleted.has(user));
    if (dropped.length === 0) return;
    for (const user of dropped) this.#deleted.add(user);
    this.deeds.push({ atMs: Math.max(0, atMs - OPERATOR_MS), line, address: 0, records: [], dropped });
  }
}
