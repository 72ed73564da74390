import type { Clock } from '@whorl/protocol';
import type { Seat, Session } from './seat.ts';

export interface AttendanceParts {
  readonly clock: Clock;
  /** Wants a sign of life in a session; fails when there is none until it is aborted. */
  readonly sign: (syncId: number, session: Session, signal: AbortSignal) => Promise<unknown>;
  /** Tells whoever is at the broker as a site that it has no session here. */
  readonly knock: (syncId: number) => void;
  /** Told when it has become known that a site is there, or is not. */
  readonly changed: (syncId: number, seat: Seat, online: boolean) => void;
}

/** A sign that is waited for. */
interface Asked {
  readonly since: number;
  readonly answered: Promise<boolean>;
}

/** Whoever is there answers within this. */
const SIGN_MS = 5_000;
/** After so long without a word a site is asked whether it is there. */
const SILENT_MS = 10 * 60_000;
const LOOK_MS = 60_000;

/**
 * Whether satellites are there. A broker only says who has connected, or broken off, as a site, and does not say even that
 * once it has died, or a bridge before it: what counts is who answers in the session that was logged in.
 */
export class Attendance {
  readonly #parts: AttendanceParts;
  readonly #asked = new WeakMap<Session, Asked>();

  constructor(parts: AttendanceParts) {
    this.#parts = parts;
  }

  /** Looks again and again at those who are silent. @returns what ends it */
  watch(seats: ReadonlyMap<number, Seat>): () => void {
    const wait = (): (() => void) =>
      this.#parts.clock.after(LOOK_MS, () => {
        cancel = wait();
        for (const [syncId, seat] of seats) void this.#look(syncId, seat);
      });
    let cancel = wait();
    return () => cancel();
  }

  /** Whether whoever has a session answers in it from now on. */
  async answers(syncId: number, session: Session): Promise<boolean> {
    const came = this.#parts.clock.now();
    for (;;) {
      const { since, answered } = this.#asked.get(session) ?? this.#begin(syncId, session);
      const isThere = await answered;
      // What was under way when somebody came is a sign to those who had asked earlier, but not to them.
      if (!isThere || since >= came) return isThere;
    }
  }

  #begin(syncId: number, session: Session): Asked {
    const answered = this.#ask(syncId, session).finally(() => this.#asked.delete(session));
    const asked = { since: this.#parts.clock.now(), answered };
    this.#asked.set(session, asked);
    return asked;
  }

  async #ask(syncId: number, session: Session): Promise<boolean> {
    const { clock, sign } = this.#parts;
    const since = clock.now();
    const patience = new AbortController();
    const cancel = clock.after(SIGN_MS, () => patience.abort());
    const answered = await sign(syncId, session, patience.signal).then(
      () => true,
      () => false,
    );
    cancel();
    // A slow link may be busy with something else that it says meanwhile; what was under way when somebody was killed is no sign.
    return answered || session.heard > since + SIGN_MS / 2;
  }

  /** The broker says that a site is there, or that its connection broke off. */
  async said(syncId: number, seat: Seat, online: boolean): Promise<void> {
    if (online) this.#seen(seat);
    const { session } = seat;
    // Another connection than that of the session may have broken off.
    if (!online && seat.state.online && session !== undefined) {
      if ((await this.answers(syncId, session)) || seat.session !== session) return;
    }
    this.#change(syncId, seat, online);
  }

  /** A site has said something in its session. */
  heard(syncId: number, seat: Seat): void {
    this.#seen(seat);
    this.#change(syncId, seat, true);
  }

  /** A site says goodbye. */
  left(syncId: number, seat: Seat): void {
    seat.session = undefined;
    this.#change(syncId, seat, false);
  }

  async #look(syncId: number, seat: Seat): Promise<void> {
    const { session } = seat;
    const last = Math.max(seat.seen, session?.heard ?? 0);
    if (!seat.state.online || this.#parts.clock.now() - last < SILENT_MS) return;
    if (session === undefined && !seat.knocked) {
      seat.knocked = true;
      this.#parts.knock(syncId);
      return;
    }
    if (session !== undefined && (await this.answers(syncId, session))) return;
    if (seat.session === session) this.#change(syncId, seat, false);
  }

  #seen(seat: Seat): void {
    seat.seen = this.#parts.clock.now();
    seat.knocked = false;
  }

  #change(syncId: number, seat: Seat, online: boolean): void {
    if (seat.state.online === online) return;
    seat.state = { ...seat.state, online };
    this.#parts.changed(syncId, seat, online);
  }
}
