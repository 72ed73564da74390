import { sameBytes } from '@whorl/protocol';
import { Bucket } from '../settings/bucket.ts';
import { Admission, refuseUnknown } from './admission.ts';
import type { Admitted } from './admission.ts';
import type { Attendance } from './attendance.ts';
import { formerName } from './former.ts';
import type { SitesGround } from './ground.ts';
import type { SiteList } from './list.ts';
import type { Refusal } from './login-words.ts';
import type { Knocker, Seat, SiteState } from './seat.ts';

export interface ReceptionParts {
  readonly ground: SitesGround;
  readonly list: SiteList;
  readonly attendance: Attendance;
  readonly send: (syncId: number, bytes: Uint8Array) => Promise<void>;
}

const MOST_KNOCKS = 40;
const KNOCKS_PER_SECOND = 2;
const RIVAL_MS = 15 * 60_000;

/** Who comes to the master and says to be a satellite: lets them in, or says at both ends why not. */
export class Reception {
  readonly #parts: ReceptionParts;

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
  }

  /** A place for somebody who has not come yet. */
  seat(): Seat {
    const { name: master, random, clock, protocol } = this.#parts.ground;
    const placed = (hardware: string): ReturnType<SiteList['get']> =>
      this.#parts.list.all.find(({ binding }) => binding?.hardware === hardware);
    return {
      admission: new Admission({ master, random, clock, protocol, placed }),
      knocks: new Bucket(clock, MOST_KNOCKS, KNOCKS_PER_SECOND),
      ...{ session: undefined, fresh: undefined, state: { online: false }, told: '' },
      ...{ seen: 0, knocked: false, weighed: undefined, stranger: undefined },
    };
  }

  /** Takes a step of a login, and answers it. @throws WhorlError SITES_MESSAGE, STORE_* */
  async login(syncId: number, seat: Seat, bytes: Uint8Array): Promise<void> {
    const { list, ground, send } = this.#parts;
    const site = list.get(syncId);
    if (seat.weighed !== undefined && sameBytes(seat.weighed, bytes)) return;
    const taken = site === undefined ? refuseUnknown(syncId, bytes) : seat.admission.take(site, bytes);
    if (taken === undefined) return;
    const { session, refused, answer, user } = await this.#weigh(syncId, seat, { taken, bytes });
    const now = ground.clock.now();
    if (session !== undefined)
      seat.fresh = {
        ...session,
        ...{ last: 0, answer: undefined, working: false, walked: [], began: now, heard: now },
      };
    if (refused !== undefined) await this.refused(syncId, seat, refused, user === undefined ? {} : { user });
    await send(syncId, answer);
  }

  /**
   * A copy of a machine has all that the machine has, but not its session: as long as somebody answers in that, whoever
   * comes besides is the copy, whichever token it has. The same process after a broken link shows that it had the session.
   */
  async #weigh(
    syncId: number,
    seat: Seat,
    { taken, bytes }: { readonly taken: Admitted; readonly bytes: Uint8Array },
  ): Promise<Admitted> {
    for (;;) {
      const { session: held } = seat;
      if (taken.session === undefined || held === undefined) return taken;
      const { host, follows } = taken.session.machine;
      const before = [held, seat.fresh].map((one) => one?.channel.proof);
      if (follows !== undefined && before.includes(follows)) return taken;
      seat.weighed = bytes;
      const answers = await this.#parts.attendance.answers(syncId, held);
      seat.weighed = undefined;
      if (seat.session !== held) continue;
      if (!answers) return taken;
      const text = `${host} has the identity of sync id ${syncId}, which is at work on ${held.machine.host} and answers from there: one of them is a copy`;
      return seat.admission.refuse(bytes, 'SITES_CLONE', text);
    }
  }

  /** Tells of somebody who was not let in, once for each reason. */
  async refused(
    syncId: number,
    seat: Seat,
    refused: { readonly code: Refusal; readonly text: string },
    who: Knocker = {},
  ): Promise<void> {
    // The satellite has asked with a token that was forgotten here, and goes on with its password.
    if (refused.code === 'SITES_TOKEN') return;
    const { site } = this.#parts.ground;
    seat.state = { ...seat.state, trouble: { ...refused, time: site.now } };
    const tries = (seat.stranger?.tries ?? 0) + 1;
    seat.stranger = { ...who, code: refused.code, time: site.now, tries };
    if (seat.told === refused.code) return;
    seat.told = refused.code;
    const name = this.#parts.list.get(syncId)?.name ?? (await formerName(site.store, syncId));
    const data = { site: name, code: refused.code, reason: refused.text };
    site.log.warn({ site: name, code: refused.code }, `${name}: refused: ${refused.text}`);
    await site.tell({ type: 'site.refused', time: site.now, data });
  }

  /** Whoever was refused before is at work: somebody has mended it. */
  async accepted(name: string, seat: Seat): Promise<void> {
    const { told: code } = seat;
    const { site } = this.#parts.ground;
    if (code === '' || isRival(seat.state.trouble, site.now)) return;
    seat.told = '';
    site.log.info({ site: name, code }, `site ${name}: logged in, after it had been refused (${code})`);
    await site.tell({ type: 'site.accepted', time: site.now, data: { site: name, code } });
  }
}

/**
 * Whether another machine came for this site's place a short while ago. It asks again every five minutes, and what the
 * bound one exchanges meanwhile mends nothing.
 */
export function isRival(trouble: SiteState['trouble'], now: number): boolean {
  const code = trouble?.code;
  return (code === 'SITES_CLASH' || code === 'SITES_CLONE') && now - (trouble?.time ?? 0) < RIVAL_MS;
}
