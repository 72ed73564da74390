import type { VaultStatus } from '../store/vault-store.ts';
import type { RotationControl, RotationWish } from './rotating.ts';
import type { CompareOptions, CompareReport } from './resolve.ts';
import type { FieldName, User } from '@whorl/protocol';
import type { Confirmation, Preview, PreviewPage } from './preview.ts';
import type { LineStatus } from '../lines/status.ts';
import type { Listener } from '../lines/taps.ts';
import type { Decision, InboxFilter } from './inbox.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { ConflictFilter, ConflictSummary, LedgerCounts, LedgerState } from '../store/store.ts';
import type { UnitStatus } from '../terminals/registers/registers.ts';
import type { TerminalStatus } from '../terminals/status.ts';
import type { DatabaseTrouble } from './trouble.ts';

/** A change of a user at the gateway: fields to set and fields to clear. */
export interface UserEdit {
  readonly set: Omit<Partial<User>, 'id'>;
  readonly clear: readonly FieldName[];
}

/** A user of an import: added, or changed where they are there. */
export interface UserImport {
  readonly id: number;
  readonly edit: UserEdit;
}

export interface GatewayStatus {
  readonly gateway: string;
  readonly version: string;
  /** Milliseconds UTC. */
  readonly started: number;
  readonly settings: RuntimeSettings;
  /** What is on the wire in clear: true as long as sessions are not sealed. */
  readonly users: number;
  readonly lines: readonly LineStatus[];
  readonly terminals: readonly (TerminalStatus & { readonly ledger: LedgerCounts })[];
  readonly openPulls: number;
  readonly openConflicts: number;
  /** Absent while it can be written. */
  readonly database?: DatabaseTrouble;
}

/**
 * What people and programs can ask of a running gateway. The faces (http, mqtt, cli) translate to it and decide nothing.
 * Errors are WhorlError: USER_UNKNOWN, USER_EXISTS, USER_CHANGED, TERMINAL_UNKNOWN, TERMINAL_OFFLINE, STORE_*, MESSAGE_RANGE.
 */
export interface Operations {
  status(): Promise<GatewayStatus>;
  /** @returns the version, 1; sent out by itself as autoSync says */
  addUser(id: number, edit: UserEdit): Promise<number>;
  /** @param from the version that the edit was made from, checked when given; @returns the new version */
  editUser(id: number, edit: UserEdit, from?: number): Promise<number>;
  /** Deletes the user here and at the terminals that have it. @param by who does it; the gateway when not given */
  deleteUser(id: number, by?: string): Promise<void>;
  /**
   * Erases a user on request: here, at every terminal as soon as it answers, and from what backups hold.
   * @returns ids of the data keys that were destroyed, and where that could not be done
   */
  eraseUser(
    id: number,
    by?: string,
  ): Promise<{ readonly keys: readonly string[]; readonly unreached: readonly string[] }>;
  /** Takes a new master key into use, unless one is already, and begins to renew data keys where that is wished. Errors: VAULT_*. */
  beginRotation(wish: RotationWish): Promise<VaultStatus>;
  /** Brings all data keys under the new master key, which then is the only one, and renews them where that was begun. Errors: VAULT_ROTATING. */
  rotate(control: RotationControl): Promise<VaultStatus>;
  /** Sends users to terminals whatever autoSync says; brings back what was deleted there. @returns ledger rows made pending */
  push(users: readonly number[], terminals: readonly string[]): Promise<number>;
  /** Fetches a user from a terminal whatever autoSync says, and merges it. */
  pull(user: number, terminal: string): Promise<void>;
  /**
   * Compares what a terminal holds with what it should, by content, and resolves differences as the options say.
   * Errors: TERMINAL_OFFLINE, GUARD_*.
   */
  compare(terminal: string, options: CompareOptions): Promise<CompareReport>;
  /**
   * Pairs with the terminal that answers under this name.
   * @param pairing.code what it shows, six digits
   * @param pairing.replace also when another one is paired under this name: that one is let in no more, and this one is
   * given all that it held
   * @returns its serial number
   */
  pair(terminal: string, pairing: { readonly code: string; readonly replace: boolean }): Promise<string>;
  /** Ends the pairing of the terminal under this name: it gets nothing any more. @returns its serial number */
  unpair(terminal: string): Promise<string>;
  /** Listens in on a line. @returns takes a listener, and returns what ends it. @throws WhorlError LINE_UNKNOWN */
  tap(line: string): (listener: Listener) => () => void;
  /** Changes settings; who goes where follows by itself. Errors: GUARD_*, TERMINAL_UNKNOWN. */
  changeSettings(changes: Partial<RuntimeSettings>, confirmation?: Confirmation): Promise<RuntimeSettings>;
  /** What changed settings would do at the terminals. */
  previewSettings(changes: Partial<RuntimeSettings>, page: PreviewPage): Promise<Preview>;
  /** What the scope of an edited configuration would do at the terminals, as far as it is not done. */
  previewScope(page: PreviewPage): Promise<Preview>;
  /** Applies a scope that the guard holds back. Errors: GUARD_*. */
  applyScope(confirmation: Confirmation): Promise<void>;
  /** Who would be removed from where when these users are deleted. */
  previewDeletion(users: readonly number[], page: PreviewPage): Promise<Preview>;
  /** Deletes users here and at the terminals that have them. @returns how many there were. Errors: GUARD_*. */
  deleteUsers(users: readonly number[], confirmation: Confirmation, by?: string): Promise<number>;
  /** What an import would do at the terminals. */
  previewImport(imports: readonly UserImport[], page: PreviewPage): Promise<Preview>;
  /** Lets an import pass, unless it overwrites so many users that it has to be confirmed. Errors: GUARD_*. */
  allowImport(imports: readonly UserImport[], confirmation: Confirmation): Promise<void>;
  settings(): Promise<RuntimeSettings>;
  /** What is read by Modbus, of terminals and modules. */
  registers(): readonly UnitStatus[];
  /**
   * Sets a register of a module. @returns its value, read back
   * Errors: REGISTER_UNKNOWN, REGISTER_READONLY, REQUEST_INVALID, MODBUS_SILENT, MODBUS_EXCEPTION, LINE_CLOSED.
   */
  writeRegister(unit: string, register: string, value: number): Promise<number>;
  /** Makes failed rows pending again. @returns how many */
  retry(filter: {
    readonly user?: number;
    readonly terminal?: string;
    readonly state?: Extract<LedgerState, 'failed'>;
  }): Promise<number>;
  /** What merges did not take, by ascending id. */
  conflicts(filter: ConflictFilter): Promise<readonly ConflictSummary[]>;
  /** Decides a conflict; the result goes out to the terminals. Errors: CONFLICT_*, USER_EXISTS. */
  decideConflict(id: number, decision: Decision): Promise<ConflictSummary>;
  /** Decides all open conflicts that the filter names. @returns how many */
  decideConflicts(filter: InboxFilter, take: 'ours' | 'theirs'): Promise<number>;
  /** Takes a decision back: the conflict is open again. Errors: CONFLICT_UNKNOWN, CONFLICT_CHANGED. */
  undoConflict(id: number): Promise<ConflictSummary>;
}
