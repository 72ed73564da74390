import { codeOf, describe, textOf } from '@whorl/protocol';
import type { Cancel } from '@whorl/protocol';
import type { SiteSyncSettings } from '../settings/sites.ts';
import { compareClocks } from './clocks.ts';
import { Conversation } from './conversation.ts';
import { exchange } from './exchange.ts';
import type { Exchanged } from './exchange.ts';
import { Pieces } from './listing.ts';
import { Progress } from './progress.ts';
import type { StepName } from './talk.ts';
import type { SitesGround } from './ground.ts';
import type { IdentityPlace } from './identity.ts';
import { Login, tokenName } from './login.ts';
import { Pace, pause } from './pace.ts';
import type { AnswerOf, Summary } from './requests.ts';
import { nextExchange, untilLook } from './schedule.ts';
import type { SiteName } from './secrets.ts';
import { summaryOf } from './summary.ts';
import type { OpenSatelliteWire } from './wire.ts';

export interface SatelliteParts {
  readonly ground: SitesGround;
  readonly name: SiteName;
  /** argon2id of the password, as it is now. */
  readonly verifier: () => Promise<Uint8Array>;
  readonly open: OpenSatelliteWire;
  readonly identity: IdentityPlace;
  /** What this machine is called. */
  readonly host: string;
  readonly settings: () => SiteSyncSettings;
  /** Minute of the day by the clock on the wall. */
  readonly minute: () => number;
  /** Terminals as they are now. */
  readonly terminals: () => Promise<Summary['terminals']>;
}

/** How the sync of a satellite stands. */
export interface SatelliteState {
  /** Whether the master answers. */
  readonly online: boolean;
  /** Since when it does, or does not, milliseconds UTC; absent until that changes for the first time. */
  readonly since?: number;
  /** What is being done; absent between exchanges. */
  readonly step?: StepName;
  /** Rows that are left of it. */
  readonly left?: number;
  /** How long that takes when it goes on as it went. */
  readonly leftMs?: number;
  /** Of the last exchange that ended well, milliseconds UTC. */
  readonly success?: number;
  readonly tookMs?: number;
  /** How much the master's clock is ahead, when that is more than a minute. */
  readonly apartMs?: number;
  /** When the next one begins by itself, milliseconds UTC; absent when it does not. */
  readonly next?: number;
  readonly trouble?: { readonly code: string; readonly text: string; readonly time: number };
}

/** Refusals that a person has to mend: they are not tried again every few seconds. */
const NEEDS_PERSON = [
  'SITES_CLASH',
  'SITES_CLONE',
  'SITES_PASSWORD',
  'SITES_RATE',
  'SITES_UNKNOWN',
  'SITES_VERSION',
];
const PATIENT_FAILURES = 5;
/** From the end of a link to the next one, at least; at most twice as long. */
const LOST_MS = 1_000;

/** The satellite's end of all exchanges: it begins every one. */
export class Satellite {
  readonly #parts: SatelliteParts;
  readonly #pace = new Pace();
  readonly #progress = new Progress();
  readonly #pieces = new Pieces();
  readonly #stopping = new AbortController();
  #conversation: Conversation | undefined;
  #state: SatelliteState = { online: false };
  #running: Promise<void> | undefined;
  #cancel: Cancel = () => undefined;
  #ended: number | undefined;
  #failures = 0;
  #asked: number | undefined;
  #news: number | undefined;
  #up: AnswerOf<'open'>['up'] | undefined;
  #released = false;
  /** Shows to the master that the last session was this process's. */
  #follows: string | undefined;
  /** Sessions for a look only; no exchange begins a session meanwhile. */
  #looking: Promise<unknown> = Promise.resolve();
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];

  constructor(parts: SatelliteParts) {
    this.#parts = parts;
  }

  /** How far the master said that it is in the logs here; absent before the first exchange since the start. */
  get up(): AnswerOf<'open'>['up'] | undefined {
    return this.#up;
  }

  get state(): SatelliteState {
    return this.#state;
  }

  start(): void {
    this.#plan();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#cancel();
    await this.#conversation?.leave();
    await this.#running;
  }

  /** Begins an exchange now, or after the one under way. @returns when it ended. @throws what it failed with */
  syncNow(options: { readonly release?: boolean } = {}): Promise<void> {
    if (options.release === true) this.#released = true;
    this.#asked ??= this.#parts.ground.clock.now();
    const waiting = Promise.withResolvers<undefined>();
    const { promise, reject } = waiting;
    this.#waiting.push({ resolve: () => waiting.resolve(undefined), reject });
    this.#plan();
    return promise;
  }

  /** Something changed here that the master has to hear of. */
  changed(): void {
    this.#news ??= this.#parts.ground.clock.now();
    this.#plan();
  }

  /**
   * Lends the session of the exchanges; when there is none, logs in for this only, quietly and without an exchange.
   * @param work `own` tells that it is a session for this only
   * @throws WhorlError SITES_*, MQTT_*
   */
  async borrow(
    signal: AbortSignal,
    work: (talk: Conversation, own: boolean) => Promise<void>,
  ): Promise<void> {
    const known = this.#conversation;
    if (known?.live === true) return work(known, false);
    const running = this.#running;
    const next = Promise.all([this.#looking, running]).then(async () => {
      const since = this.#conversation;
      if (since?.live === true) return work(since, false);
      const own = await this.#begin(signal, true);
      try {
        await work(own, true);
      } finally {
        own.close();
      }
    });
    this.#looking = next.catch(() => undefined);
    return next;
  }

  /**
   * Reads the password anew, and tries it at the broker, beside whatever session there is.
   * @throws WhorlError SITES_PASSWORD_FILE, SITES_PASSWORD, MQTT_*
   */
  async tryPassword(signal: AbortSignal): Promise<void> {
    const { verifier, open } = this.#parts;
    await verifier();
    const wire = await open(() => undefined, signal, { beside: true });
    wire.close();
  }

  /** Looks at the settings again. */
  resettled(): void {
    this.#plan();
  }

  #plan(): void {
    if (this.#running !== undefined || this.#stopping.signal.aborted) return;
    this.#cancel();
    const { clock, site } = this.#parts.ground;
    const at = this.#next();
    const { next: _, ...state } = this.#state;
    this.#state = at === undefined ? state : { ...state, next: site.now + Math.max(at - clock.now(), 0) };
    if (at === undefined) return;
    this.#cancel = clock.after(untilLook(this.#parts.settings(), at - clock.now()), () => {
      // It is not yet time, or quiet hours have begun.
      if ((this.#next() ?? Infinity) > clock.now()) {
        this.#plan();
        return;
      }
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        this.#plan();
      });
    });
  }

  #next(): number | undefined {
    return nextExchange({
      ...{ settings: this.#parts.settings(), ended: this.#ended, failures: this.#failures },
      ...{ asked: this.#asked, news: this.#news, now: this.#parts.ground.clock.now() },
      minute: this.#parts.minute(),
    });
  }

  async #run(): Promise<void> {
    const { clock, site } = this.#parts.ground;
    await this.#looking;
    const waiting = this.#waiting;
    const released = this.#released;
    const began = clock.now();
    [this.#waiting, this.#asked, this.#news, this.#released] = [[], undefined, undefined, false];
    try {
      const known = this.#conversation;
      const { held, all } = await this.#exchange(released).catch((error: unknown) => {
        // The master has begun anew since the last exchange: so does the session.
        if (known === undefined || codeOf(error) !== 'SITES_LINK') throw error;
        known.close();
        this.#conversation = undefined;
        return this.#exchange(released);
      });
      this.#failures = 0;
      const { trouble: _, ...state } = this.#state;
      this.#state = { ...state, online: true, success: site.now, tookMs: Math.round(clock.now() - began) };
      if (held > 0)
        await site.tell({
          type: 'site.held',
          time: site.now,
          data: { site: this.#parts.name.master, users: held },
        });
      if (!all) this.#asked ??= clock.now();
      for (const one of waiting) one.resolve();
    } catch (error) {
      await this.#failed(error);
      for (const one of waiting) one.reject(error);
    }
    const { step: _step, left: _left, leftMs: _leftMs, ...state } = this.#state;
    this.#state = state;
    this.#progress.end();
    this.#ended = clock.now();
  }

  async #exchange(released: boolean): Promise<Exchanged> {
    const { ground, settings, name } = this.#parts;
    const conversation = await this.#connected();
    const { clock, site } = ground;
    return exchange({
      conversation,
      talk: {
        ...{ ground, pace: this.#pace },
        ask: async (request, blobs) => {
          const began = clock.now();
          const answered = await conversation.ask(request, blobs);
          const wait = pause(answered.bytes, clock.now() - began, settings().bytesPerSecond);
          if (wait > 0) await new Promise<void>((resolve) => clock.after(wait, resolve));
          return answered;
        },
        reached: (stream, cursor) => {
          this.#up = { users: null, events: null, holdings: null, ...this.#up, [stream]: cursor };
        },
        progress: (step, left) => {
          const { leftMs: _, ...state } = this.#state;
          this.#state = { ...state, ...this.#progress.at(step, left, clock.now()) };
        },
      },
      keep: (token) => {
        const { hardware } = this.#parts.identity.load();
        this.#parts.identity.save({ hardware, token });
      },
      summary: async () => summaryOf(ground, await this.#parts.terminals()),
      adopt: async ({ merge, hold }) => {
        const { settings: mine } = site;
        if (JSON.stringify([mine.merge, mine.hold]) === JSON.stringify([merge, hold])) return;
        const data = { changed: { merge, hold } };
        const event = { type: 'settings.changed', time: site.now, origin: 'gateway', data } as const;
        const events = await site.store.saveSettings({ merge, hold }, [event]);
        site.settings = { ...mine, merge, hold };
        site.publish(events);
      },
      clock: async (apart) => {
        const clocks = { apartMs: apart, before: this.#state.apartMs };
        const apartMs = await compareClocks(ground, name.master, clocks);
        const { apartMs: _, ...state } = this.#state;
        this.#state = { ...state, ...(apartMs === undefined ? {} : { apartMs }) };
      },
      lost: () => site.tell({ type: 'site.lost', time: site.now, data: { site: name.master } }),
      ...{ released, pieces: this.#pieces },
    });
  }

  async #connected(): Promise<Conversation> {
    const known = this.#conversation;
    if (known?.live === true) return known;
    this.#state = { ...this.#state, step: 'login' };
    const { ground, name } = this.#parts;
    const conversation = await this.#begin(this.#stopping.signal, false);
    this.#conversation = conversation;
    const { trouble } = this.#state;
    if (trouble !== undefined)
      ground.site.log.info(
        { code: trouble.code },
        `the master ${name.master}: logged in, after ${trouble.code}`,
      );
    if (!this.#state.online) {
      this.#state = { ...this.#state, since: ground.site.now };
      await ground.site.tell({ type: 'site.online', time: ground.site.now, data: { site: name.master } });
    }
    this.#state = { ...this.#state, online: true };
    return conversation;
  }

  async #begin(signal: AbortSignal, quiet: boolean): Promise<Conversation> {
    const { ground, open, identity } = this.#parts;
    const { clock, site, version } = ground;
    // Before there is a link, as it takes its time.
    const verifier = await this.#parts.verifier();
    const conversation = await Conversation.open(
      {
        ...{ open, clock, pace: this.#pace, protocol: ground.protocol, quiet, news: () => this.changed() },
        lost: () => this.#lost(quiet),
        echo: (echo) => {
          const sign = { ask: 'echoed', echo, version, time: site.now } as const;
          void conversation.ask(sign).catch(() => undefined);
        },
      },
      signal,
    );
    const giveUp = (): void => conversation.close();
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await this.#logIn(conversation, verifier, identity.load().token !== undefined);
      this.#follows = conversation.proof;
      return conversation;
    } catch (error) {
      conversation.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** Without a link nobody would tell of news, and the master takes this site for absent. All come back one by one. */
  #lost(quiet: boolean): void {
    if (quiet) return;
    const { clock, random } = this.#parts.ground;
    clock.after(LOST_MS + random.below(LOST_MS), () => this.changed());
  }

  /** By token; by password when the master knows no token of this machine. */
  async #logIn(conversation: Conversation, verifier: Uint8Array, byToken: boolean): Promise<void> {
    const { ground, name, identity, host } = this.#parts;
    const { hardware, token } = identity.load();
    const login = new Login({
      ...{
        name,
        version: ground.version,
        protocol: ground.protocol,
        machine: {
          ...{ hardware, host },
          ...(this.#follows === undefined ? {} : { follows: this.#follows }),
          ...(byToken || token === undefined ? {} : { unknown: tokenName(token) }),
        },
        random: ground.random,
      },
      verifier,
      token: byToken ? token : undefined,
    });
    try {
      await conversation.logIn(login);
    } catch (error) {
      if (!byToken || codeOf(error) !== 'SITES_TOKEN') throw error;
      await this.#logIn(conversation, verifier, false);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { site } = this.#parts.ground;
    this.#conversation?.close();
    this.#conversation = undefined;
    if (this.#stopping.signal.aborted) return;
    const code = codeOf(error) ?? 'INTERNAL';
    const text = textOf(error);
    const news = this.#state.trouble?.code !== code;
    const wasOnline = this.#state.online;
    const person = NEEDS_PERSON.includes(code);
    this.#failures = person ? PATIENT_FAILURES : this.#failures + 1;
    const since = wasOnline ? { since: site.now } : {};
    this.#state = { ...this.#state, ...since, online: false, trouble: { code, text, time: site.now } };
    const data = { site: this.#parts.name.master, code, reason: text };
    if (wasOnline) await site.tell({ type: 'site.offline', time: site.now, data: { site: data.site } });
    if (!news) return;
    site.log.warn({ code }, `the master ${data.site}: ${describe(error)}`);
    await site.tell({ type: person ? 'site.refused' : 'site.failed', time: site.now, data });
  }
}
