import { WhorlError } from '@whorl/protocol';
import { MASTER_ID, MOST_SITES } from '../settings/sites.ts';
import type { SiteRow, SiteStore } from '../store/sites.ts';
import { verifierOf } from './secrets.ts';
import type { DeriveKey } from './secrets.ts';

/** What a site is added with. */
export interface NewSite {
  readonly syncId: number;
  readonly name: string;
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly groups?: readonly number[] | undefined;
}

/** What can be changed of a site. */
export interface SiteEdit {
  readonly url?: string | undefined;
  readonly password?: string | undefined;
  /** `null` for every user. */
  readonly groups?: readonly number[] | null | undefined;
}

/** What a change was made from is not what stands in the store: it is made anew. */
class Raced extends Error {}

/** The master's list of its satellites; kept in memory as it stands in the store. */
export class SiteList {
  readonly #store: SiteStore;
  readonly #derive: DeriveKey;
  readonly #master: string;
  #sites: ReadonlyMap<number, SiteRow> = new Map();
  /** One change after the other: each is made from what the one before left. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(parts: { readonly store: SiteStore; readonly derive: DeriveKey; readonly master: string }) {
    this.#store = parts.store;
    this.#derive = parts.derive;
    this.#master = parts.master;
  }

  async load(): Promise<void> {
    this.#sites = new Map((await this.#store.sites()).map((site) => [site.syncId, site]));
  }

  /** Reads it again, after what is under way. @throws WhorlError STORE_* */
  reload(): Promise<void> {
    return this.#change(() => this.load());
  }

  get all(): readonly SiteRow[] {
    return [...this.#sites.values()];
  }

  get(syncId: number): SiteRow | undefined {
    return this.#sites.get(syncId);
  }

  /** @throws WhorlError SITES_UNKNOWN */
  named(name: string): SiteRow {
    const found = this.all.find((site) => site.name === name);
    if (found === undefined) throw new WhorlError('SITES_UNKNOWN', `no site is called ${name}`);
    return found;
  }

  /** @throws WhorlError SITES_EXISTS, REQUEST_INVALID, STORE_* */
  add({ password, groups, ...site }: NewSite): Promise<SiteRow> {
    return this.#change(async () => {
      this.#mayAdd(site);
      const verifier = await verifierOf(this.#derive, password, { master: this.#master, ...site });
      return this.#save({ ...site, verifier, ...(groups === undefined ? {} : { groups }) }, undefined);
    });
  }

  /**
   * @param allow throws when these groups may not reach the site as it stands; nothing is changed then
   * @throws WhorlError SITES_UNKNOWN, STORE_*, and what `allow` throws
   */
  edit(
    name: string,
    { url, password, groups }: SiteEdit,
    allow: (stood: SiteRow, reach: readonly number[] | undefined) => Promise<void>,
  ): Promise<SiteRow> {
    return this.#change(async () => {
      const stood = this.named(name);
      const { groups: before, ...site } = stood;
      const reach = groups === undefined ? before : (groups ?? undefined);
      await allow(stood, reach);
      const about = { master: this.#master, syncId: site.syncId, user: site.user };
      const next = {
        ...site,
        ...(url === undefined ? {} : { url }),
        ...(password === undefined ? {} : { verifier: await verifierOf(this.#derive, password, about) }),
        ...(reach === undefined ? {} : { groups: reach }),
      };
      return this.#save(next, stood);
    });
  }

  /** Stores which machine a site is. @throws WhorlError SITES_UNKNOWN, STORE_* */
  bind(syncId: number, binding: (site: SiteRow) => SiteRow['binding']): Promise<SiteRow> {
    return this.#change(async () => {
      const site = this.get(syncId);
      if (site === undefined) throw new WhorlError('SITES_UNKNOWN', `sync id ${syncId}`);
      const bound = binding(site);
      return this.#save({ ...site, ...(bound === undefined ? {} : { binding: bound }) }, site);
    });
  }

  /** @throws WhorlError SITES_UNKNOWN, STORE_* */
  remove(name: string): Promise<SiteRow> {
    return this.#change(async () => {
      const site = this.named(name);
      await this.#store.removeSite(site.syncId);
      await this.load();
      return site;
    });
  }

  /** Forgets machine, tokens and cursors of a site in one step. @throws WhorlError SITES_UNKNOWN, STORE_* */
  reset(name: string): Promise<SiteRow> {
    return this.#change(async () => {
      const site = this.named(name);
      await this.#store.resetSite(site.syncId);
      await this.load();
      return site;
    });
  }

  #mayAdd({ syncId, name, user }: Pick<NewSite, 'syncId' | 'name' | 'user'>): void {
    if (syncId === MASTER_ID)
      throw new WhorlError('SITES_EXISTS', `sync id ${MASTER_ID} is the master's own`);
    if (!Number.isInteger(syncId) || syncId < 1 || syncId > MOST_SITES)
      throw new WhorlError('REQUEST_INVALID', `a sync id is 2 to ${MOST_SITES}, not ${syncId}`);
    if (name === this.#master) throw new WhorlError('SITES_EXISTS', `the master itself is called ${name}`);
    for (const other of this.all) {
      if (other.syncId === syncId)
        throw new WhorlError('SITES_EXISTS', `site ${other.name} has sync id ${syncId}`);
      if (other.name === name)
        throw new WhorlError('SITES_EXISTS', `site ${name} is in the list, with sync id ${other.syncId}`);
      if (other.user === user) throw new WhorlError('SITES_EXISTS', `site ${other.name} logs in as ${user}`);
    }
  }

  /** @throws Raced when another process has changed it meanwhile */
  async #save(site: SiteRow, from: SiteRow | undefined): Promise<SiteRow> {
    if (!(await this.#store.saveSite(site, from))) throw new Raced();
    this.#sites = new Map([...this.#sites, [site.syncId, site] as const].sort(([a], [b]) => a - b));
    return site;
  }

  #change<T>(work: () => Promise<T>): Promise<T> {
    const once = async (): Promise<T> => {
      for (;;) {
        try {
          return await work();
        } catch (error) {
          if (!(error instanceof Raced)) throw error;
          await this.load();
        }
      }
    };
    const next = this.#changing.then(once, once);
    this.#changing = next.catch(() => undefined);
    return next;
  }
}
