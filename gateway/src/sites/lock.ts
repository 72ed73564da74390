import { counted, WhorlError } from '@whorl/protocol';
import type { Cancel } from '@whorl/protocol';
import { z } from 'zod';
import type { NewEvent } from '../events/catalogue.ts';
import type { SitesGround } from './ground.ts';

/** How a code is kept, so that it cannot be had from what is kept. */
export interface CodeHash {
  make(code: string): Promise<string>;
  is(code: string, hash: string): Promise<boolean>;
}

/** How the lock of the sync settings stands for somebody. */
export interface LockView {
  /** Whether there is a code; without one the settings cannot be opened by anybody. */
  readonly set: boolean;
  /** Open for who asks until then, milliseconds UTC; closed when absent. */
  readonly open?: number;
  /** After wrong codes: how long the next one has to wait, milliseconds. */
  readonly waitMs?: number;
}

const CODE = 'sites.lock';
const MINUTE_MS = 60_000;
/** Longest that it stays open. */
export const MOST_MINUTES = 120;
const LEAST_CHARACTERS = 8;
/** Wrong codes that cost no wait; from then on each doubles it. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = MINUTE_MS;
const LONGEST_WAIT_MS = 15 * MINUTE_MS;

/** failures: tries since the last right code; last: when the last one was, milliseconds UTC. */
const keptSchema = z.strictObject({ hash: z.string(), failures: z.int().min(0), last: z.int().min(0) });
type Kept = z.infer<typeof keptSchema>;

/**
 * The lock of the sync settings. Code and wrong tries are in the store, so that a restart gives no new tries; who has
 * opened it is in memory only, so that a restart closes it.
 */
export class SitesLock {
  readonly #ground: SitesGround;
  readonly #hash: CodeHash;
  readonly #open = new Map<string, { readonly until: number; readonly cancel: Cancel }>();
  /** One try after the other: many at once would all see the same count. */
  #trying: Promise<unknown> = Promise.resolve();

  constructor(ground: SitesGround, hash: CodeHash) {
    this.#ground = ground;
    this.#hash = hash;
  }

  async view(who: string): Promise<LockView> {
    const kept = await this.#kept();
    const { clock, site } = this.#ground;
    const open = this.#open.get(who);
    const waitMs = kept === undefined ? 0 : waitOf(kept, site.now);
    return {
      set: kept !== undefined,
      ...(open === undefined ? {} : { open: Math.round(site.now + open.until - clock.now()) }),
      ...(waitMs > 0 ? { waitMs } : {}),
    };
  }

  /**
   * Sets the first code, or another one in the place of the present one; then it is closed for everybody.
   * @throws WhorlError SITES_CODE_WEAK, SITES_CODE, SITES_CODE_RATE, STORE_*
   */
  setCode(
    who: string,
    { code, current }: { readonly code: string; readonly current?: string | undefined },
  ): Promise<void> {
    return this.#turn(async () => {
      checkCode(code);
      const kept = await this.#kept();
      if (kept !== undefined) await this.#try(who, kept, current ?? '');
      await this.#keep({ hash: await this.#hash.make(code), failures: 0, last: 0 });
      await this.#tell({ type: 'site.code.set', data: { who } });
      await this.close('code');
    });
  }

  /**
   * Opens it for one account.
   * @returns until when, milliseconds UTC
   * @throws WhorlError SITES_CODE_NONE, SITES_CODE, SITES_CODE_RATE, STORE_*
   */
  open(who: string, { code, minutes }: { readonly code: string; readonly minutes: number }): Promise<number> {
    return this.#turn(async () => {
      const kept = await this.#kept();
      if (kept === undefined) throw none();
      await this.#try(who, kept, code);
      const { clock, site } = this.#ground;
      const ms = Math.min(minutes, MOST_MINUTES) * MINUTE_MS;
      this.#open.get(who)?.cancel();
      const cancel = clock.after(ms, () => {
        if (this.#open.delete(who))
          void this.#tell({ type: 'site.locked', data: { why: 'time' } }).catch(() => undefined);
      });
      this.#open.set(who, { until: clock.now() + ms, cancel });
      await this.#tell({ type: 'site.unlocked', data: { who, minutes } });
      return site.now + ms;
    });
  }

  /** Closes it for everybody. */
  async close(why: 'asked' | 'code'): Promise<void> {
    const was = this.#open.size;
    this.stop();
    if (was > 0) await this.#tell({ type: 'site.locked', data: { why } });
  }

  /** @throws WhorlError SITES_LOCKED, SITES_CODE_NONE unless it is open for this account */
  async demand(who: string): Promise<void> {
    const open = this.#open.get(who);
    if (open !== undefined && this.#ground.clock.now() < open.until) return;
    if ((await this.#kept()) === undefined) throw none();
    throw new WhorlError('SITES_LOCKED', `the sync settings are locked for ${who}`);
  }

  stop(): void {
    for (const { cancel } of this.#open.values()) cancel();
    this.#open.clear();
  }

  /** A try counts before it is looked at: whoever cuts the power meanwhile gains none. */
  async #try(who: string, kept: Kept, code: string): Promise<void> {
    const { site } = this.#ground;
    const waitMs = waitOf(kept, site.now);
    if (waitMs > 0)
      throw new WhorlError(
        'SITES_CODE_RATE',
        `${kept.failures} wrong codes: the next one in ${Math.ceil(waitMs / 1000)} s`,
      );
    const failures = kept.failures + 1;
    await this.#keep({ ...kept, failures, last: site.now });
    if (await this.#hash.is(code, kept.hash)) {
      await this.#keep({ ...kept, failures: 0, last: 0 });
      return;
    }
    await this.#tell({ type: 'site.code.wrong', data: { who, tries: failures } });
    throw new WhorlError('SITES_CODE', `the code is wrong; it was try ${failures} since the last right one`);
  }

  /** Read each time: another gateway on the same database may have counted. */
  async #kept(): Promise<Kept | undefined> {
    const note = await this.#ground.site.store.secretNote(CODE);
    if (note === undefined) return undefined;
    const kept = keptSchema.safeParse(JSON.parse(note));
    if (kept.success) return kept.data;
    throw new WhorlError('STORE_CORRUPT', 'what is kept of the code of the sync settings cannot be read');
  }

  #keep(kept: Kept): Promise<void> {
    return this.#ground.site.store.saveSecretNote(CODE, JSON.stringify(kept));
  }

  #tell(event: Pick<Extract<NewEvent, { type: `site.${string}` }>, 'type' | 'data'>): Promise<void> {
    const { site } = this.#ground;
    return site.tell({ ...event, time: site.now } as NewEvent);
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#trying.then(work, work);
    this.#trying = next.catch(() => undefined);
    return next;
  }
}

/** Takes the code away, as whoever has the machine may. @returns whether there was one */
export async function forgetCode(
  store: Pick<SitesGround['site']['store'], 'note' | 'saveNote'>,
): Promise<boolean> {
  const had = (await store.note(CODE)) !== undefined;
  if (had) await store.saveNote(CODE, undefined);
  return had;
}

/** A clock that was set back since makes nobody wait longer than in full. */
function waitOf({ failures, last }: Kept, now: number): number {
  if (failures < FREE_TRIES) return 0;
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - FREE_TRIES), LONGEST_WAIT_MS);
  return Math.min(Math.max(last + wait - now, 0), wait);
}

/** @throws WhorlError SITES_CODE_WEAK */
function checkCode(code: string): void {
  const weak = (text: string): WhorlError => new WhorlError('SITES_CODE_WEAK', text);
  if (code.length < LEAST_CHARACTERS) throw weak(`the code has ${counted(code.length, 'character')}`);
  if (new Set(code).size < 4) throw weak('the code repeats few characters');
  const steps = new Set(
    Array.from(code)
      .slice(1)
      .map((one, index) => one.charCodeAt(0) - code.charCodeAt(index)),
  );
  if (steps.size === 1) throw weak('the code is a plain sequence');
}

function none(): WhorlError {
  return new WhorlError('SITES_CODE_NONE', 'no code is set for the sync settings of this gateway');
}
