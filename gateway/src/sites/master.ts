import { codeOf, describe, ERRORS, textOf, WhorlError } from '@whorl/protocol';
import type { Cancel } from '@whorl/protocol';
import type { SiteRow } from '../store/sites.ts';
import { Bucket } from '../settings/bucket.ts';
import { answerOf } from './answering.ts';
import { confirmed, offering } from './admission.ts';
import { Attendance } from './attendance.ts';
import { LOGIN, sessionOf } from './channel.ts';
import { departureKey } from './departure.ts';
import { Echoes } from './echoes.ts';
import type { Echo } from './echoes.ts';
import type { SitesGround } from './ground.ts';
import { compareClocks } from './clocks.ts';
import { cursorAt, resumeAt } from './history.ts';
import { SiteList } from './list.ts';
import { Lists } from './lists.ts';
import { fitting, writeLogin } from './login-words.ts';
import type { Refusal } from './login-words.ts';
import { readMessage, writeMessage } from './message.ts';
import { numberedSchema, upSchema } from './requests.ts';
import type { AnswerOf, Down, Request, RequestOf } from './requests.ts';
import { confirmWalk, historyOf, scopeName } from './serving.ts';
import { retryOffers } from './taking.ts';
import { isRival, Reception } from './reception.ts';
import { noticeSetback, toldAgain } from './setback.ts';
import { isSyncId } from './seat.ts';
import type { Knock, Knocker, Seat, Session, SiteState } from './seat.ts';
import { checkOpening } from './versions.ts';
import type { MasterEars, MasterWire } from './wire.ts';

/** What of all sites falls to one of several processes. */
export interface MasterPart {
  /** Whether it is this one that speaks with a site. */
  readonly holds: (syncId: number) => boolean;
  /** Remembers how a site stands, for the others. */
  readonly keep: (syncId: number, state: SiteState) => void;
}

const MOST_SESSIONS_TEXT = 400;
const MOST_USER_TEXT = 64;

/** The master's end of all exchanges: it answers, and never begins one. */
export class Master implements MasterEars {
  readonly list: SiteList;
  readonly #ground: SitesGround;
  readonly #seats = new Map<number, Seat>();
  readonly #echoes: Echoes;
  readonly #lists: Lists;
  readonly #part: MasterPart | undefined;
  readonly #warnings: Bucket;
  readonly #attendance: Attendance;
  readonly #reception: Reception;
  #wire: MasterWire | undefined;
  #unwatch: Cancel = () => undefined;

  /** @param part of one of several processes; without it this one speaks with all sites */
  constructor(ground: SitesGround, part?: MasterPart) {
    this.#ground = ground;
    this.#warnings = new Bucket(ground.clock, 20, 0.1);
    this.#echoes = new Echoes(ground);
    this.#lists = new Lists(ground);
    this.#part = part;
    this.#attendance = new Attendance({
      clock: ground.clock,
      sign: (syncId, session, signal) => this.#sign(syncId, session, signal),
      knock: (syncId) => void this.#forgotten(syncId).catch(() => undefined),
      changed: (syncId, seat, online) => this.#attended(syncId, seat, online),
    });
    this.list = new SiteList({ store: ground.site.store.sites, derive: ground.derive, master: ground.name });
    this.#reception = new Reception({
      ...{ ground, list: this.list, attendance: this.#attendance },
      send: async (syncId, bytes) => this.#wire?.send(syncId, bytes),
    });
  }

  /** Begins to answer. @param wire lets satellites be spoken to */
  start(wire: MasterWire): void {
    this.#wire = wire;
    this.#unwatch();
    this.#unwatch = this.#attendance.watch(this.#seats);
  }

  stop(): void {
    this.#unwatch();
  }

  state(syncId: number): SiteState {
    return this.#seats.get(syncId)?.state ?? { online: false };
  }

  /** Whoever was logged in as this site is not, any more. */
  part(syncId: number): void {
    this.#seats.delete(syncId);
  }

  /** Somebody has this sync id now: why whoever knocked before was refused says nothing of them. */
  listed(syncId: number): void {
    const seat = this.#seats.get(syncId);
    if (seat === undefined) return;
    const { trouble: _, ...state } = seat.state;
    seat.state = state;
    seat.stranger = undefined;
  }

  /** Whether a question of the site is being worked on. */
  busy(syncId: number): boolean {
    return this.#seats.get(syncId)?.session?.working === true;
  }

  /**
   * Another process spoke with the site: it is to log in here, at once rather than once its patience ends.
   * @param stood as that process saw it last
   */
  async welcome(syncId: number, stood: SiteState | undefined): Promise<void> {
    await this.list.load();
    const seat = this.#seat(syncId);
    if (stood !== undefined) seat.state = { ...stood, online: seat.state.online };
    await this.#forgotten(syncId);
  }

  /** Tells satellites that are there that something changed; one that syncs as changes happen asks for it. */
  async tellNews(): Promise<void> {
    for (const [syncId, { session, state }] of this.#seats)
      if (session !== undefined && state.online) await this.#say(syncId, session, { news: true }, []);
  }

  /** The machine that a site has logged in from; `undefined` when it has not since the start. */
  loggedIn(syncId: number): string | undefined {
    return this.#seats.get(syncId)?.session?.machine.host;
  }

  /** A sign of life of a site that has logged in, between the questions of its exchange. @throws WhorlError SITES_AWAY, SITES_LINK */
  async echo(syncId: number, signal: AbortSignal): Promise<Echo> {
    const session = this.#seats.get(syncId)?.session;
    if (session === undefined) throw new WhorlError('SITES_AWAY', `sync id ${syncId} has no session`);
    return this.#sign(syncId, session, signal);
  }

  #sign(syncId: number, session: Session, signal: AbortSignal): Promise<Echo> {
    return this.#echoes.of(syncId, (echo) => this.#say(syncId, session, { echo }, []), signal);
  }

  presence(syncId: number, online: boolean): void {
    if (!isSyncId(syncId) || this.#part?.holds(syncId) === false) return;
    void this.#attendance.said(syncId, this.#seat(syncId), online);
  }

  #attended(syncId: number, seat: Seat, online: boolean): void {
    this.#part?.keep(syncId, seat.state);
    const name = this.list.get(syncId)?.name;
    if (name === undefined) return;
    const type = online ? 'site.online' : 'site.offline';
    void this.#ground.site.tell({ type, time: this.#ground.site.now, data: { site: name } });
  }

  /** Somebody who says to be a site was not let in at the broker. */
  turnedAway(syncId: number, code: Refusal, who: Knocker): void {
    if (!isSyncId(syncId)) return;
    const { user, from } = who;
    const name = user === undefined ? '' : `, user ${JSON.stringify(user.slice(0, MOST_USER_TEXT))}`;
    const why = code === 'SITES_CLASH' ? 'several machines use its account at the broker; one more was ' : '';
    const text = `${why}not let in at the broker${name}${from === undefined ? '' : `, from ${from}`}`;
    this.#reception.refused(syncId, this.#seat(syncId), { code, text }, who).catch(() => undefined);
  }

  /** Who tried to log in and is not in the list, by sync id. */
  get strangers(): readonly (readonly [number, Knock])[] {
    return [...this.#seats].flatMap(([syncId, { stranger }]) =>
      stranger === undefined || this.list.get(syncId) !== undefined ? [] : [[syncId, stranger] as const],
    );
  }

  message(syncId: number, bytes: Uint8Array): void {
    if (!isSyncId(syncId) || this.#part?.holds(syncId) === false) return;
    this.#take(syncId, bytes).catch((error: unknown) => {
      // Whoever sends garbage all day does not fill the log.
      if (!this.#warnings.take()) return;
      this.#ground.site.log.warn({ site: syncId }, `site ${syncId}: ${describe(error)}`);
    });
  }

  async #take(syncId: number, bytes: Uint8Array): Promise<void> {
    if (bytes[0] === LOGIN) {
      if (this.#seat(syncId).knocks.take()) await this.#reception.login(syncId, this.#seat(syncId), bytes);
      return;
    }
    const site = this.list.get(syncId);
    const seat = this.#seats.get(syncId);
    const id = sessionOf(bytes);
    const session = [seat?.session, seat?.fresh].find((one) => one !== undefined && one.channel.id === id);
    if (site === undefined || seat === undefined || session === undefined) {
      if (id !== undefined && this.#seat(syncId).knocks.take()) await this.#forgotten(syncId, id);
      return;
    }
    const clear = session.channel.open(bytes);
    if (clear === undefined) return;
    if (session === seat.fresh) {
      seat.session = session;
      seat.fresh = undefined;
    }
    session.heard = this.#ground.clock.now();
    await this.#request(site, session, clear);
  }

  /** After a restart: else the satellite would ask until its patience ends. Worth nothing to whoever forges it. */
  async #forgotten(syncId: number, id = ''): Promise<void> {
    const text = 'the master does not know this session any more';
    await this.#wire?.send(syncId, writeLogin({ step: 'refused', id, code: 'SITES_LINK', text }));
  }

  async #request(site: SiteRow, session: Session, clear: Uint8Array): Promise<void> {
    const { body, blobs } = readMessage(clear);
    const { id } = fitting(numberedSchema, body, 'a request');
    // One question at a time: whoever asks more at once makes no more work than others.
    if (id < session.last || (id > session.last && session.working)) return;
    if (id === session.last) {
      if (session.answer !== undefined) await this.#send(site.syncId, session, session.answer);
      else if (session.working) await this.#say(site.syncId, session, { id, working: true }, []);
      return;
    }
    session.last = id;
    session.answer = undefined;
    session.working = true;
    try {
      checkOpening(this.#ground.protocol, body);
      const { request } = fitting(upSchema, body, 'a request');
      const { answer, blobs: own } = await this.#answer(site, session, request, blobs);
      session.answer = writeMessage({ body: { id, answer }, blobs: own });
    } catch (error) {
      const failed = this.#failure(error);
      session.answer = writeMessage({ body: { id, failed }, blobs: [] });
      if (codeOf(error) === 'SITES_VERSION')
        await this.#reception.refused(site.syncId, this.#seat(site.syncId), {
          code: 'SITES_VERSION',
          text: failed.text,
        });
    } finally {
      session.working = false;
    }
    await this.#send(site.syncId, session, session.answer);
  }

  #failure(error: unknown): { code: string; text: string } {
    const code = codeOf(error);
    if (code === undefined) this.#ground.site.log.error({}, `a request of a site failed: ${describe(error)}`);
    const text = code === undefined ? 'the master failed on this request; its log says more' : textOf(error);
    return { code: code ?? 'INTERNAL', text: text.slice(0, MOST_SESSIONS_TEXT) };
  }

  async #answer(
    site: SiteRow,
    session: Session,
    request: Request,
    blobs: readonly Uint8Array[],
  ): Promise<{ answer: object; blobs: readonly Uint8Array[] }> {
    const ground = this.#ground;
    const seat = this.#seat(site.syncId);
    // A look tells nobody of anything.
    const isLook = request.ask === 'ping' || request.ask === 'left';
    if (!isLook && session === seat.session) this.#attendance.heard(site.syncId, seat);
    switch (request.ask) {
      case 'open':
        return this.#open(site, session, request);
      case 'kept':
        session.token = (
          await this.list.bind(site.syncId, ({ binding }) => binding && confirmed(binding, session.machine))
        ).binding?.token;
        return { answer: {}, blobs: [] };
      case 'ping':
        return { answer: this.#pong(site), blobs: [] };
      case 'echoed':
        this.#echoes.heard(site.syncId, request);
        return { answer: {}, blobs: [] };
      case 'left':
        if (session === seat.session) this.#attendance.left(site.syncId, seat);
        return { answer: {}, blobs: [] };
      case 'ended':
        await confirmWalk(ground, site, session.walked, 0);
        await this.#ended(site, session, request);
        return { answer: {}, blobs: [] };
      default:
        return answerOf({ ground, lists: this.#lists }, site, { request, blobs, walked: session.walked });
    }
  }

  #pong({ syncId, name: site, binding }: SiteRow): AnswerOf<'ping'> {
    const { name, version, site: own } = this.#ground;
    return { name, site, syncId, version, time: own.now, bound: binding !== undefined };
  }

  async #open(
    { syncId, name }: SiteRow,
    session: Session,
    request: RequestOf<'open'>,
  ): Promise<{ answer: AnswerOf<'open'>; blobs: readonly Uint8Array[] }> {
    const { site, random, name: master } = this.#ground;
    if (request.name !== name)
      throw new WhorlError(
        'SITES_CLASH',
        `sync id ${syncId} is that of ${name}, and ${request.name} uses it`,
      );
    session.began = this.#ground.clock.now();
    const { machine, token } = session;
    let next = new Uint8Array();
    const bound = await this.list.bind(syncId, ({ binding }) => {
      const offered = offering(binding, machine, { now: site.now, random, token });
      next = Uint8Array.from(offered.next);
      return offered;
    });
    const seat = this.#seat(syncId);
    await this.#reception.accepted(name, seat);
    const { apartMs: before, ...state } = seat.state;
    const clocks = { apartMs: request.time - site.now, before };
    const apartMs = await compareClocks(this.#ground, name, clocks);
    const { version, summary } = request;
    seat.state = { ...state, version, summary, ...(apartMs === undefined ? {} : { apartMs }) };
    await departureKey(this.#ground);
    const history = await historyOf(this.#ground);
    const down = resumeAt(history, 'users', request.down ?? undefined);
    if (request.down !== null)
      await noticeSetback(this.#ground, { syncId, name }, { history, cursor: request.down });
    if (request.down === null || down.lost) await site.store.sites.forgetHeld(syncId);
    await retryOffers(this.#ground, bound);
    const head = cursorAt(history, 'users', history.heads.users);
    return {
      answer: {
        ...{ protocol: this.#ground.protocol, name: master, time: site.now },
        ...{ head, scope: scopeName(bound), token: 0 },
        up: await this.#reached(syncId),
        down: { ...cursorAt(history, 'users', down.seq), lost: down.lost },
        policies: { merge: site.settings.merge, hold: site.settings.hold },
      },
      blobs: [next],
    };
  }

  /** How far a site's logs are taken in here. */
  async #reached(syncId: number): Promise<AnswerOf<'open'>['up']> {
    const { sites } = this.#ground.site.store;
    // Asked together: the store's thread answers all of it at once.
    const [users = null, events = null, holdings = null] = await Promise.all([
      sites.cursor(syncId, 'users'),
      sites.cursor(syncId, 'events'),
      sites.cursor(syncId, 'holdings'),
    ]);
    return { users, events, holdings };
  }

  async #ended({ syncId, name }: SiteRow, session: Session, request: RequestOf<'ended'>): Promise<void> {
    const seat = this.#seat(syncId);
    const { site, clock } = this.#ground;
    const { code, summary } = request;
    if (code === undefined) {
      const { trouble, ...state } = seat.state;
      const other = trouble !== undefined && isRival(trouble, site.now) ? { trouble } : {};
      const tookMs = Math.round(clock.now() - session.began);
      seat.state = { ...state, ...other, summary, success: site.now, tookMs };
      this.#part?.keep(syncId, seat.state);
      await toldAgain(this.#ground, syncId);
      return;
    }
    const text = code in ERRORS ? ERRORS[code as keyof typeof ERRORS] : code;
    seat.state = { ...seat.state, summary, trouble: { code, text, time: site.now } };
    this.#part?.keep(syncId, seat.state);
    await site.tell({ type: 'site.failed', time: site.now, data: { site: name, code, reason: text } });
  }

  #say(syncId: number, session: Session, body: Down, blobs: readonly Uint8Array[]): Promise<void> {
    return this.#send(syncId, session, writeMessage({ body, blobs }));
  }

  async #send(syncId: number, session: Session, clear: Uint8Array): Promise<void> {
    await this.#wire?.send(syncId, session.channel.seal(clear));
  }

  #seat(syncId: number): Seat {
    const known = this.#seats.get(syncId);
    if (known !== undefined) return known;
    const seat = this.#reception.seat();
    this.#seats.set(syncId, seat);
    return seat;
  }
}
