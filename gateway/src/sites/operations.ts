import { z } from 'zod';
import { siteSyncSchema } from '../settings/sites.ts';
import type { SiteSyncSettings } from '../settings/sites.ts';
import type { SiteEvent, SiteEventFilter } from '../store/sites.ts';
import { EFFECTS } from '../sync/preview.ts';
import type { Confirmation, PreviewPage } from '../sync/preview.ts';
import { BROKER_KINDS } from './broker-accounts.ts';
import type { BrokerFile } from './broker-accounts.ts';
import type { NewSite, SiteEdit } from './list.ts';
import type { Probe } from './probe.ts';
import type { ReportKind, ReportLine } from './reports.ts';
import { summarySchema } from './requests.ts';

const millis = z.int().describe('Milliseconds UTC.');
const trouble = z
  .strictObject({ code: z.string(), text: z.string(), time: millis })
  .exactOptional()
  .describe('Why the last login or exchange failed.');

/** A satellite, as its master shows it. */
export const siteViewSchema = z.strictObject({
  syncId: z.int(),
  name: z.string(),
  url: z.string(),
  user: z.string(),
  groups: z.array(z.int()).exactOptional().describe('Access groups that reach it; all users when absent.'),
  bound: z
    .strictObject({ host: z.string(), since: millis })
    .exactOptional()
    .describe('The machine that has logged in as this site; none yet when absent.'),
  process: z.string().exactOptional().describe('Which of several processes of the master speaks with it.'),
  online: z.boolean(),
  success: millis.exactOptional().describe('When the last exchange ended well.'),
  tookMs: z.int().exactOptional(),
  version: z.string().exactOptional(),
  apartMs: z
    .int()
    .exactOptional()
    .describe('How much its clock is ahead (below 0: behind), when that is more than a minute.'),
  /** Users that it has of the master's. */
  held: z.int(),
  summary: summarySchema.exactOptional(),
  trouble,
});
export type SiteView = z.infer<typeof siteViewSchema>;

/** Somebody who says to be a site and is not in the master's list. */
export const strangerSchema = z.strictObject({
  syncId: z.int(),
  was: z
    .string()
    .exactOptional()
    .describe('What the site was called that had this sync id, and was removed.'),
  user: z.string().exactOptional().describe('User name that was given.'),
  from: z.string().exactOptional().describe('Address of the machine; known at the master’s own broker only.'),
  code: z.string(),
  time: millis.describe('Of the last try.'),
  tries: z.int().describe('Since the master’s start.'),
});
export type Stranger = z.infer<typeof strangerSchema>;

export const sitesStatusSchema = z.strictObject({
  role: z.enum(['standalone', 'master', 'satellite']),
  name: z.string(),
  syncId: z.int().exactOptional(),
  sites: z.array(siteViewSchema).readonly().exactOptional().describe('Of a master.'),
  strangers: z
    .array(strangerSchema)
    .readonly()
    .exactOptional()
    .describe('Of a master: who tried to log in and is not in the list, the newest first.'),
  restored: z
    .strictObject({
      noticed: millis.describe('When the first satellite came that has got more of this master than it has.'),
      until: millis.describe('Of the last thing that is known from before: the backup is that old.'),
      waiting: z
        .array(z.string())
        .readonly()
        .describe('Satellites that have not told again yet what was lost.'),
    })
    .exactOptional()
    .describe('Of a master: its database was found to be a backup.'),
  master: z
    .strictObject({
      name: z.string(),
      url: z.string().describe('The broker that it is met at.'),
      online: z.boolean(),
      since: millis.exactOptional().describe('Since when it answers, or does not any more.'),
      step: z.string().exactOptional().describe('What is being done.'),
      left: z.int().exactOptional().describe('Rows that are left of it.'),
      leftMs: z.int().exactOptional().describe('How long that takes when it goes on as it went.'),
      success: millis.exactOptional(),
      tookMs: z.int().exactOptional(),
      next: millis.exactOptional().describe('When the next exchange begins by itself.'),
      apartMs: z
        .int()
        .exactOptional()
        .describe('How much its clock is ahead (below 0: behind), when that is more than a minute.'),
      waiting: z.int().describe('Changes and events that have to go up.'),
      complete: z.boolean().describe('Whether everything that belongs here has been here once.'),
      settings: siteSyncSchema,
      trouble,
    })
    .exactOptional()
    .describe('Of a satellite.'),
  aside: z.int().describe('Rows that wait apart, each with its reason.'),
  lock: z
    .strictObject({
      set: z
        .boolean()
        .describe('Whether there is a code; without one nobody can change settings of the sync.'),
      open: millis.exactOptional().describe('Open until then for who asks; closed when absent.'),
      waitMs: z.int().exactOptional().describe('After wrong codes: how long the next one has to wait.'),
    })
    .exactOptional()
    .describe('Of the sync settings, for who asks.'),
});
export type SitesStatus = z.infer<typeof sitesStatusSchema>;

/** What a change of the list would do at a site. */
export const sitePreviewSchema = z.strictObject({
  confirm: z.string().describe('Given back with the change, it is done as shown, or refused.'),
  guarded: z.boolean().describe('Without that it is refused: it removes more than the guard lets pass.'),
  sites: z
    .array(
      z.strictObject({
        site: z.string(),
        users: z.int().describe('That belong there now.'),
        added: z.int(),
        overwritten: z.int().describe('Of its own until now, from now on as the master has them.'),
        removed: z.int(),
        left: z.int().describe('From now on neither kept up to date nor removed.'),
      }),
    )
    .readonly()
    .describe('None where nothing would change.'),
  users: z
    .array(z.strictObject({ user: z.int(), site: z.string(), effect: z.enum(EFFECTS) }))
    .readonly()
    .describe('A page of who, by ascending user.'),
  next: z.int().exactOptional().describe('`after` of the next page, when there is one.'),
});
export type SitePreview = z.infer<typeof sitePreviewSchema>;

export const asideViewSchema = z.strictObject({
  peer: z.int().describe('Sync id of whom it came from.'),
  user: z.int(),
  code: z.string(),
  reason: z.string(),
  since: millis,
  attempts: z.int(),
});
export type AsideView = z.infer<typeof asideViewSchema>;

const path = z.string().min(1).max(1000);

/** For which broker files are wanted, where they will be, and what it listens with. */
export const brokerWishSchema = z.strictObject({
  kind: z.enum(BROKER_KINDS),
  directory: path.describe('Where the files will be, as the broker sees it.'),
  port: z.int().min(1).max(65_535).default(8883).describe('That the broker listens on, with TLS.'),
  cert: path.describe('PEM file with its certificate, as the broker sees it.'),
  key: path.describe('PEM file with its key.'),
});
export type BrokerWish = z.infer<typeof brokerWishSchema>;

export interface ReportAsked {
  readonly kind: ReportKind;
  readonly site?: string | undefined;
  readonly from?: number | undefined;
  readonly until?: number | undefined;
}

/** What people and programs can ask about master and satellites. Errors: SITES_*, PASSWORD_WEAK, REQUEST_INVALID, STORE_*. */
export interface SitesOperations {
  status(): Promise<SitesStatus>;
  add(site: NewSite): Promise<void>;
  /** Errors: GUARD_* when other groups would remove many from the site. */
  edit(name: string, edit: SiteEdit, confirmation: Confirmation): Promise<void>;
  /** Whom a change of a site's groups would add there and remove from there. */
  previewEdit(name: string, edit: Pick<SiteEdit, 'groups'>, page: PreviewPage): Promise<SitePreview>;
  /** Whom a site would keep that is removed from the list. */
  previewRemoval(name: string, page: PreviewPage): Promise<SitePreview>;
  remove(name: string): Promise<void>;
  /** Forgets machine, tokens and cursors of a site in one step. */
  reset(name: string): Promise<void>;
  /** Satellite: an exchange now. @returns when it ended. @param release also removes users that the guard kept */
  sync(options: { readonly release: boolean }): Promise<void>;
  /**
   * Looks at the connection step by step, without an exchange and beside one: of a satellite to its master, of a master to
   * a satellite that is named.
   */
  testConnection(site?: string): Promise<readonly Probe[]>;
  /** Satellite: when and how fast it syncs. */
  changeSettings(changes: Partial<SiteSyncSettings>): Promise<SiteSyncSettings>;
  /** Master at a broker of yours: files with the accounts and access rules of master and satellites for it. */
  brokerFiles(wish: BrokerWish): Promise<readonly BrokerFile[]>;
  /** Rows that wait apart. */
  aside(): Promise<readonly AsideView[]>;
  /**
   * A report, a page of lines at a time: at the master over all sites, elsewhere over this one.
   * @param wish `site` is the name of a gateway, also of one that was removed; times are milliseconds UTC, `until` exclusive
   * @throws WhorlError SITES_UNKNOWN, before the first page
   */
  report(wish: ReportAsked): Promise<AsyncIterable<readonly ReportLine[]>>;
  /** Master: events of the satellites, newest first. */
  events(filter: SiteEventFilter): Promise<readonly SiteEvent[]>;
}
