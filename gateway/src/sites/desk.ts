import { WhorlError } from '@whorl/protocol';
import type { NewEvent } from '../events/catalogue.ts';
import { DEFAULT_SITE_SYNC, MASTER_ID, siteSyncSchema } from '../settings/sites.ts';
import type { SiteSyncSettings } from '../settings/sites.ts';
import type { SiteEvent, SiteEventFilter, SiteRole, SiteRow } from '../store/sites.ts';
import { guard } from '../sync/preview.ts';
import type { Confirmation, PreviewPage } from '../sync/preview.ts';
import type { SitesGround } from './ground.ts';
import { formerSites, rememberName } from './former.ts';
import { isWalked, resumeAt } from './history.ts';
import { brokerFiles, masterAccount, siteAccount } from './broker-accounts.ts';
import type { Account, BrokerFile } from './broker-accounts.ts';
import type { NewSite, SiteEdit } from './list.ts';
import type { Master } from './master.ts';
import type { Probe, ProbeStep } from './probe.ts';
import { probeMaster } from './probe-master.ts';
import { probeSite } from './probe-site.ts';
import { report } from './reports.ts';
import type { ReportLine } from './reports.ts';
import type {
  AsideView,
  BrokerWish,
  ReportAsked,
  SitePreview,
  SitesOperations,
  SitesStatus,
  SiteView,
  Stranger,
} from './operations.ts';
import type { Satellite } from './satellite.ts';
import { setbackOf } from './setback.ts';
import type { Shares } from './shares.ts';
import type { SiteStates } from './states.ts';
import { brokerPassword } from './secrets.ts';
import { previewLeaving, previewReach, sitePreview } from './reach.ts';
import { historyOf, scopeName } from './serving.ts';

/** Settings of the sync, as a note in the store. */
const SETTINGS = 'sites.settings';
const MOST_ASIDE = 1000;

export interface DeskParts {
  readonly ground: SitesGround;
  readonly role: SiteRole;
  readonly syncId: number | undefined;
  /** Of a satellite. */
  readonly above:
    | {
        readonly name: string;
        /** The broker that it is met at. */
        readonly url: string;
        readonly satellite: () => Satellite;
        /** Steps on the way to the broker. */
        readonly way: readonly ProbeStep[];
      }
    | undefined;
  readonly master: Master | undefined;
  /** Of one of several masters that share a database: who speaks with whom, and how the sites of the others stand. */
  readonly shares?: Pick<Shares, 'holds' | 'holder'>;
  readonly states?: SiteStates;
  /** The master's account at a broker that is not its own. @throws WhorlError MQTT_PASSWORD */
  readonly account?: (() => Account) | undefined;
  /** @throws WhorlError PASSWORD_WEAK */
  readonly checkPassword: (name: string, password: string) => void;
}

/** That the database is a backup is shown for at least so long. */
const SHOWN_MS = 7 * 86_400_000;

/** Where people and programs bring what they want of master and satellites. */
export class SitesDesk implements SitesOperations {
  readonly #parts: DeskParts;
  #settings: SiteSyncSettings = DEFAULT_SITE_SYNC;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  /** Reads the settings that were changed at run time. */
  async load(): Promise<void> {
    const note = await this.#parts.ground.site.store.note(SETTINGS);
    if (note === undefined) return;
    const parsed = siteSyncSchema.partial().safeParse(JSON.parse(note));
    if (parsed.success)
      this.#settings = { ...DEFAULT_SITE_SYNC, ...(parsed.data as Partial<SiteSyncSettings>) };
  }

  get settings(): SiteSyncSettings {
    return this.#settings;
  }

  async status(): Promise<SitesStatus> {
    const { role, syncId, ground, master, above } = this.#parts;
    const { store } = ground.site;
    return {
      ...{ role, name: ground.name, aside: await store.sites.countAside() },
      ...(syncId === undefined ? {} : { syncId }),
      ...(master === undefined
        ? {}
        : {
            sites: await Promise.all(master.list.all.map((one) => this.#view(one))),
            strangers: await this.#strangers(master),
            ...(await this.#restored(master)),
          }),
      ...(above === undefined ? {} : { master: await this.#above(above, above.satellite()) }),
    };
  }

  async #restored({ list }: Master): Promise<Pick<SitesStatus, 'restored'>> {
    const { ground } = this.#parts;
    const found = await setbackOf(ground);
    if (found === undefined) return {};
    const { noticed, until, told } = found;
    const waiting = list.all
      .filter(({ syncId, binding }) => binding !== undefined && !told.includes(syncId))
      .map(({ name }) => name);
    if (waiting.length === 0 && ground.site.now - noticed > SHOWN_MS) return {};
    return { restored: { noticed, until, waiting } };
  }

  async add(site: NewSite): Promise<void> {
    this.#parts.checkPassword(site.user, site.password);
    await this.#master().list.add(site);
    this.#master().listed(site.syncId);
    await this.#tell({ type: 'site.added', data: { site: site.name, syncId: site.syncId } });
  }

  async edit(name: string, edit: SiteEdit, confirmation: Confirmation): Promise<void> {
    const { ground } = this.#parts;
    const { list } = this.#master();
    if (edit.password !== undefined) this.#parts.checkPassword(list.named(name).user, edit.password);
    await list.edit(name, edit, async (stood, reach) => {
      if (scopeName(reach === undefined ? {} : { groups: reach }) === scopeName(stood)) return;
      guard(await previewReach(ground, stood, reach, { limit: 0 }), confirmation);
    });
    await this.#tell({ type: 'site.changed', data: { site: name } });
    await this.#master().tellNews();
  }

  async previewEdit(name: string, { groups }: SiteEdit, page: PreviewPage): Promise<SitePreview> {
    const stood = this.#master().list.named(name);
    const reach = groups === undefined ? stood.groups : (groups ?? undefined);
    return sitePreview(await previewReach(this.#parts.ground, stood, reach, page));
  }

  async previewRemoval(name: string, page: PreviewPage): Promise<SitePreview> {
    const { list } = this.#master();
    return sitePreview(await previewLeaving(this.#parts.ground, list.named(name), page));
  }

  async remove(name: string): Promise<void> {
    const { list } = this.#master();
    const { syncId } = list.named(name);
    await rememberName(this.#parts.ground.site.store, syncId, name);
    await list.remove(name);
    this.#master().part(syncId);
    await this.#tell({ type: 'site.removed', data: { site: name } });
  }

  async reset(name: string): Promise<void> {
    const { syncId } = await this.#master().list.reset(name);
    this.#master().part(syncId);
    await this.#tell({ type: 'site.reset', data: { site: name } });
  }

  sync({ release }: { readonly release: boolean }): Promise<void> {
    return this.#satellite().syncNow({ release });
  }

  async testConnection(site?: string): Promise<readonly Probe[]> {
    const { ground, above, syncId } = this.#parts;
    if (above === undefined || syncId === undefined) {
      const master = this.#master();
      if (site === undefined) throw new WhorlError('REQUEST_INVALID', 'name the satellite that is meant');
      const { syncId: asked } = master.list.named(site);
      const { shares } = this.#parts;
      if (shares?.holds(asked) === false)
        throw new WhorlError(
          'MEMBER_ELSEWHERE',
          `${shares.holder(asked) ?? 'nobody at this moment'} speaks with ${site}`,
        );
      return probeSite(ground, master, site);
    }
    if (site !== undefined && site !== above.name)
      throw new WhorlError('SITES_ROLE', `a satellite has a connection to its master only, ${above.name}`);
    const { name: master, way } = above;
    return probeMaster({ ground, master, syncId, satellite: above.satellite(), way });
  }

  async changeSettings(changes: Partial<SiteSyncSettings>): Promise<SiteSyncSettings> {
    const satellite = this.#satellite();
    const next = { ...this.#settings, ...changes };
    await this.#parts.ground.site.store.saveNote(SETTINGS, JSON.stringify(next));
    this.#settings = next;
    satellite.resettled();
    return next;
  }

  async brokerFiles({ kind, ...place }: BrokerWish): Promise<readonly BrokerFile[]> {
    const { account, ground } = this.#parts;
    const { list } = this.#master();
    if (account === undefined)
      throw new WhorlError(
        'SITES_ROLE',
        'this master is at its own broker, which knows its satellites by itself; for another one set mqtt.external first',
      );
    const sites = list.all.map(({ syncId, user, verifier }) =>
      siteAccount(ground.name, syncId, { user, password: brokerPassword(verifier) }),
    );
    return brokerFiles(kind, [masterAccount(ground.name, account()), ...sites], place, ground.random);
  }

  async aside(): Promise<readonly AsideView[]> {
    const rows = await this.#parts.ground.site.store.sites.aside({ by: 'since', limit: MOST_ASIDE });
    return rows.map(({ bytes: _, ...row }) => row);
  }

  async report({ site, ...wish }: ReportAsked): Promise<AsyncIterable<readonly ReportLine[]>> {
    const { ground, master } = this.#parts;
    const { name: own } = ground;
    const store = ground.site.store.sites;
    const sites = new Map(master?.list.all.map((one) => [one.syncId, one.name]));
    if (site !== undefined && ![own, ...sites.values(), ...(await store.tellers())].includes(site))
      throw new WhorlError('SITES_UNKNOWN', `no site is called ${site}`);
    return report({ store, own, sites, wish: { ...wish, site } });
  }

  async events(filter: SiteEventFilter): Promise<readonly SiteEvent[]> {
    return this.#parts.ground.site.store.sites.siteEvents(filter);
  }

  async #view(site: SiteRow): Promise<SiteView> {
    const { syncId, name, url, user, groups, binding } = site;
    const { shares, states } = this.#parts;
    const own = this.#master().state(syncId);
    const state = shares?.holds(syncId) === false ? ((await states?.of(site)) ?? own) : own;
    const by = shares?.holder(syncId);
    return {
      ...{ syncId, name, url, user, ...state },
      ...(by === undefined ? {} : { process: by }),
      ...(groups === undefined ? {} : { groups: [...groups] }),
      ...(binding === undefined ? {} : { bound: { host: binding.host, since: binding.since } }),
      held: await this.#parts.ground.site.store.sites.countHeld(syncId),
    };
  }

  async #strangers(master: Master): Promise<readonly Stranger[]> {
    const { store } = this.#parts.ground.site;
    const former = await formerSites(store, new Set(master.list.all.map(({ syncId }) => syncId)));
    return master.strangers
      .map(([syncId, knock]) => {
        const was = former.get(syncId);
        return { syncId, ...(was === undefined ? {} : { was }), ...knock };
      })
      .sort((a, b) => b.time - a.time);
  }

  async #above(
    { name, url }: NonNullable<DeskParts['above']>,
    { state, up }: Satellite,
  ): Promise<NonNullable<SitesStatus['master']>> {
    const { sites } = this.#parts.ground.site.store;
    const history = await historyOf(this.#parts.ground);
    const walk = await sites.cursor(MASTER_ID, 'walk');
    const events = history.heads.events - resumeAt(history, 'events', up?.events ?? undefined).seq;
    const users = await sites.countChanges(
      resumeAt(history, 'users', up?.users ?? undefined).seq,
      history.heads.users,
    );
    return {
      ...{ name, url, ...state, settings: this.#settings },
      waiting: Math.max(events, 0) + users,
      complete: isWalked(walk),
    };
  }

  #tell(event: Pick<Extract<NewEvent, { type: `site.${string}` }>, 'type' | 'data'>): Promise<void> {
    const { site } = this.#parts.ground;
    return site.tell({ ...event, time: site.now } as NewEvent);
  }

  #master(): Master {
    const { master, role } = this.#parts;
    if (master === undefined) throw new WhorlError('SITES_ROLE', `this gateway is ${role}, not master`);
    return master;
  }

  #satellite(): Satellite {
    const { above, role } = this.#parts;
    if (above === undefined) throw new WhorlError('SITES_ROLE', `this gateway is ${role}, not satellite`);
    return above.satellite();
  }
}
