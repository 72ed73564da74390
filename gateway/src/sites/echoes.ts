import { WhorlError } from '@whorl/protocol';
import type { SitesGround } from './ground.ts';
import type { RequestOf } from './requests.ts';

/** What a satellite answered to a master that wanted a sign of it. */
export interface Echo {
  readonly ms: number;
  readonly version: string;
  /** How much its clock is ahead. */
  readonly apartMs: number;
}

/** Signs that a master waits for. */
export class Echoes {
  readonly #ground: Pick<SitesGround, 'clock' | 'site'>;
  readonly #waiting = new Map<string, (request: RequestOf<'echoed'>) => void>();
  #last = 0;

  constructor(ground: Pick<SitesGround, 'clock' | 'site'>) {
    this.#ground = ground;
  }

  /** @param say says to the satellite that a sign is wanted, by number. @throws WhorlError SITES_LINK when aborted */
  async of(syncId: number, say: (echo: number) => Promise<void>, signal: AbortSignal): Promise<Echo> {
    const { clock, site } = this.#ground;
    this.#last += 1;
    const key = `${syncId} ${this.#last}`;
    const began = clock.now();
    const { promise, resolve, reject } = Promise.withResolvers<RequestOf<'echoed'>>();
    const abort = (): void => reject(new WhorlError('SITES_LINK', 'the satellite does not answer'));
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.set(key, resolve);
    try {
      await say(this.#last);
      const { time, version } = await promise;
      const ms = clock.now() - began;
      return { ms, version, apartMs: time + ms / 2 - site.now };
    } finally {
      signal.removeEventListener('abort', abort);
      this.#waiting.delete(key);
    }
  }

  heard(syncId: number, request: RequestOf<'echoed'>): void {
    this.#waiting.get(`${syncId} ${request.echo}`)?.(request);
  }
}
