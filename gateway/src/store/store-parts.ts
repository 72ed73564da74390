import type { AccessStore } from './access.ts';
import type { AuditStore } from './audit.ts';
import type { BackupStore } from './backup.ts';
import type { JobStore } from './jobs.ts';
import type { MemberStore } from './members.ts';
import type { PartialStore } from './partials.ts';
import type { SiteStore } from './sites.ts';
import type { SpillStore } from './spill.ts';
import type { TaskStore } from './tasks.ts';
import type { VaultStore } from './vault-store.ts';
import type { TombstoneStore } from './tombstones.ts';
import type { VersionStore } from './versions.ts';

/** What of the gateway's memory has nothing to do with users and terminals, and is whole in itself. */
export interface StoreParts {
  /** Who may do what, and who did what. */
  readonly access: AccessStore;
  readonly audit: AuditStore;
  readonly jobs: JobStore;
  /** Of several processes that share the database. */
  readonly members: MemberStore;
  readonly partials: PartialStore;
  readonly backups: BackupStore;
  /** Master and satellites. */
  readonly sites: SiteStore;
  readonly spill: SpillStore;
  /** Portable terminals: tasks, operators, files, sync sessions. */
  readonly tasks: TaskStore;
  readonly versions: VersionStore;
  readonly tombstones: TombstoneStore;
  /** How the master key stands, and changing it. */
  readonly vault: VaultStore;
}
