import { WhorlError } from '@whorl/protocol';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { ConflictFilter, ConflictSummary, LedgerCounts, LedgerRow } from '../store/store.ts';
import type { LineStatus } from '../lines/status.ts';
import type { Listener, Taps } from '../lines/taps.ts';
import type { TerminalDriver } from '../terminals/driver.ts';
import type { Registers } from '../terminals/registers/all.ts';
import type { UnitStatus } from '../terminals/registers/registers.ts';
import type { TerminalStatus } from '../terminals/status.ts';
import type { Erased } from '../store/backup.ts';
import type { VaultStatus } from '../store/vault-store.ts';
import { Rotating } from './rotating.ts';
import type { RotationControl, RotationWish } from './rotating.ts';
import { edited } from './edit.ts';
import { eraseUser } from './erasure.ts';
import { allowImport, previewImport } from './importing.ts';
import { decideConflict, decideConflicts, undoConflict } from './inbox.ts';
import type { Decision, InboxFilter } from './inbox.ts';
import type { GatewayStatus, Operations, UserEdit, UserImport } from './operations.ts';
import type { Pairings } from './pairings.ts';
import { pendingRow } from './plan.ts';
import type { Confirmation, Preview, PreviewPage } from './preview.ts';
import { rescope } from './rescope.ts';
import { compareTerminal } from './resolve.ts';
import type { CompareOptions, CompareReport } from './resolve.ts';
import {
  allowHeld,
  changeSettings,
  deleteUsers,
  previewDeletion,
  previewHeld,
  previewSettings,
} from './scoping.ts';
import type { Site } from './site.ts';
import { changeUser, deleteUser } from './users.ts';

/** Most rows read at once. */
const PAGE = 1000;
const NO_COUNTS: LedgerCounts = { pending: 0, sending: 0, verified: 0, failed: 0, withheld: 0 };

export interface DeskParts {
  readonly site: Site;
  readonly gateway: string;
  readonly version: string;
  readonly started: number;
  readonly signal: AbortSignal;
  readonly lines: () => readonly LineStatus[];
  readonly terminals: () => readonly TerminalStatus[];
  readonly registers: Registers;
  readonly pairings: Pairings;
  /** Pairs with the terminal under this name. @throws WhorlError PAIRING_*, EXCHANGE_*, LINE_CLOSED */
  readonly pair: (
    terminal: string,
    pairing: { readonly code: string; readonly mayPair: (serial: string) => void },
  ) => Promise<{ readonly serial: string; readonly key: Uint8Array }>;
  /** @throws WhorlError TERMINAL_UNKNOWN */
  readonly driver: (terminal: string) => TerminalDriver;
  /** @throws WhorlError LINE_UNKNOWN */
  readonly taps: (line: string) => Taps;
  /** Ends the session with the terminal under this name. */
  readonly part: (terminal: string) => void;
}

/** Where people and programs bring what they want: see {@link Operations}. */
export class Desk implements Operations {
  readonly #parts: DeskParts;
  readonly #site: Site;
  readonly #rotating: Rotating;
  #rescoping: Promise<void> = Promise.resolve();
  /** The database could not take what a scope leads to. */
  #unscoped = false;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#site = parts.site;
    this.#rotating = new Rotating(parts.site);
  }

  async status(): Promise<GatewayStatus> {
    const { store } = this.#site;
    const [users, counts, pulls] = [
      await store.countUsers(),
      await store.ledgerCounts(),
      await store.openPulls(PAGE),
    ];
    const doubts = new Map((await store.terminals()).map(({ name, doubt }) => [name, doubt]));
    const places = new Map(this.#site.places.map(({ terminal, groups }) => [terminal, groups]));
    const database = this.#site.trouble.current;
    return {
      gateway: this.#parts.gateway,
      version: this.#parts.version,
      started: this.#parts.started,
      settings: this.#site.settings,
      users,
      lines: this.#parts.lines(),
      terminals: this.#parts.terminals().map((terminal) => {
        const unknown = doubts.get(terminal.name);
        const ledger = counts.get(terminal.name) ?? NO_COUNTS;
        const groups = places.get(terminal.name) ?? [];
        return { ...terminal, groups, ...(unknown === undefined ? {} : { unknown }), ledger };
      }),
      openPulls: pulls.length,
      openConflicts: await store.countConflicts(),
      ...(database === undefined ? {} : { database }),
    };
  }

  registers(): readonly UnitStatus[] {
    return this.#parts.registers.status();
  }

  async writeRegister(unit: string, register: string, value: number): Promise<number> {
    return this.#parts.registers.write(unit, register, value);
  }

  tap(line: string): (listener: Listener) => () => void {
    const taps = this.#parts.taps(line);
    return (listener) => taps.add(listener);
  }

  addUser(id: number, edit: UserEdit): Promise<number> {
    return changeUser(this.#site, id, (held) => {
      if (held !== undefined) throw new WhorlError('USER_EXISTS', `user ${id} exists already`);
      return edited({ id, fields: new Map() }, edit);
    });
  }

  editUser(id: number, edit: UserEdit, from?: number): Promise<number> {
    return changeUser(this.#site, id, (held) => {
      if (held === undefined) throw unknownUser(id);
      if (from !== undefined && held.version !== from)
        throw new WhorlError('USER_CHANGED', `user ${id} has version ${held.version} by now, not ${from}`);
      return edited(held.record, edit);
    });
  }

  deleteUser(id: number, by?: string): Promise<void> {
    return deleteUser(this.#site, id, by);
  }

  eraseUser(id: number, by = 'gateway'): Promise<Pick<Erased, 'keys' | 'unreached'>> {
    return eraseUser(this.#site, id, by);
  }

  beginRotation(wish: RotationWish): Promise<VaultStatus> {
    return this.#rotating.begin(wish);
  }

  rotate(control: RotationControl): Promise<VaultStatus> {
    return this.#rotating.run(control);
  }

  async push(users: readonly number[], terminals: readonly string[]): Promise<number> {
    for (const terminal of terminals) this.#fixed(terminal);
    const rows: LedgerRow[] = [];
    for (const id of new Set(users)) {
      const user = await this.#site.store.user(id);
      if (user === undefined) throw unknownUser(id);
      for (const terminal of new Set(terminals))
        rows.push(pendingRow({ user: id, version: user.version, now: this.#site.now }, terminal, 'present'));
    }
    await this.#site.store.writeLedger(rows);
    this.#site.wake();
    return rows.length;
  }

  async pull(user: number, terminal: string): Promise<void> {
    this.#fixed(terminal);
    if (this.#parts.terminals().find((one) => one.name === terminal)?.state !== 'online') {
      throw new WhorlError('TERMINAL_OFFLINE', `${terminal} does not answer`);
    }
    await this.#site.store.requestPull({
      user,
      terminal,
      log: 0,
      take: 'asked',
      attempts: 0,
      nextTry: this.#site.now,
    });
    this.#site.wake(terminal);
  }

  async compare(terminal: string, options: CompareOptions): Promise<CompareReport> {
    this.#fixed(terminal);
    const { signal } = this.#parts;
    return compareTerminal(this.#site, this.#parts.driver(terminal), { ...options, signal });
  }

  async pair(terminal: string, { code, replace }: { code: string; replace: boolean }): Promise<string> {
    this.#place(terminal);
    const { pairings } = this.#parts;
    const mayPair = (serial: string): void => {
      if (!replace) pairings.mayTake(terminal, serial);
    };
    const { serial, key } = await this.#parts.pair(terminal, { code, mayPair });
    const elsewhere = pairings.of(serial)?.terminal;
    const event = { type: 'terminal.paired', time: this.#site.now, terminal, data: { serial } } as const;
    this.#site.publish(await pairings.pair(serial, { terminal, key }, [event]));
    this.#parts.part(terminal);
    if (elsewhere !== undefined && elsewhere !== terminal && this.#has(elsewhere))
      this.#parts.part(elsewhere);
    return serial;
  }

  async unpair(terminal: string): Promise<string> {
    this.#place(terminal);
    const serial = this.#parts.pairings.serialOf(terminal);
    if (serial === undefined) throw new WhorlError('PAIRING_NONE', `${terminal} is not paired`);
    const event = { type: 'terminal.unpaired', time: this.#site.now, terminal, data: { serial } } as const;
    this.#site.publish(await this.#parts.pairings.unpair(serial, [event]));
    this.#parts.part(terminal);
    return serial;
  }

  previewImport(imports: readonly UserImport[], page: PreviewPage): Promise<Preview> {
    return previewImport(this.#site, imports, page);
  }

  allowImport(imports: readonly UserImport[], confirmation: Confirmation): Promise<void> {
    return allowImport(this.#site, imports, confirmation);
  }

  settings(): Promise<RuntimeSettings> {
    return Promise.resolve(this.#site.settings);
  }

  async changeSettings(
    changes: Partial<RuntimeSettings>,
    confirmation: Confirmation = {},
  ): Promise<RuntimeSettings> {
    await changeSettings(this.#site, changes, confirmation);
    this.rescope();
    return this.#site.settings;
  }

  previewSettings(changes: Partial<RuntimeSettings>, page: PreviewPage): Promise<Preview> {
    return previewSettings(this.#site, changes, page);
  }

  previewScope(page: PreviewPage): Promise<Preview> {
    return previewHeld(this.#site, page);
  }

  async applyScope(confirmation: Confirmation): Promise<void> {
    await allowHeld(this.#site, confirmation);
    this.rescope();
  }

  previewDeletion(users: readonly number[], page: PreviewPage): Promise<Preview> {
    return previewDeletion(this.#site, users, page);
  }

  deleteUsers(users: readonly number[], confirmation: Confirmation, by?: string): Promise<number> {
    return deleteUsers(this.#site, users, confirmation, by);
  }

  async retry(filter: Parameters<Operations['retry']>[0]): Promise<number> {
    if (filter.terminal !== undefined) this.#place(filter.terminal);
    const { user, terminal } = filter;
    let retried = 0;
    for (;;) {
      const rows = await this.#site.store.ledger({
        ...(user === undefined ? {} : { user }),
        ...(terminal === undefined ? {} : { terminal }),
        state: 'failed',
        limit: PAGE,
      });
      if (rows.length === 0) break;
      await this.#site.store.writeLedger(
        rows.map((row) => pendingRow({ ...row, now: this.#site.now }, row.terminal, row.want)),
      );
      retried += rows.length;
    }
    this.#site.wake();
    return retried;
  }

  async conflicts(filter: ConflictFilter): Promise<readonly ConflictSummary[]> {
    if (filter.terminal !== undefined) this.#place(filter.terminal);
    return this.#site.store.conflicts(filter);
  }

  decideConflict(id: number, decision: Decision): Promise<ConflictSummary> {
    return decideConflict(this.#site, id, decision);
  }

  async decideConflicts(filter: InboxFilter, take: 'ours' | 'theirs'): Promise<number> {
    if (filter.terminal !== undefined) this.#place(filter.terminal);
    return decideConflicts(this.#site, filter, take);
  }

  undoConflict(id: number): Promise<ConflictSummary> {
    return undoConflict(this.#site, id);
  }

  /** Brings the ledger in line with settings and terminals, beside the daily work. */
  rescope(): void {
    this.#rescoping = this.#rescoping
      .then(() => rescope(this.#site, this.#parts.signal))
      .catch((error: unknown) => {
        this.#unscoped = true;
        this.#site.log.error(
          {},
          `the ledger could not be brought in line: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
  }

  /** Goes on with what the database could not take. */
  resume(): void {
    if (!this.#unscoped) return;
    this.#unscoped = false;
    this.rescope();
  }

  /** Resolves when no such work is under way. */
  settled(): Promise<void> {
    return this.#rescoping;
  }

  #place(terminal: string): void {
    if (!this.#has(terminal)) throw new WhorlError('TERMINAL_UNKNOWN', `no terminal is called ${terminal}`);
  }

  /** One whose users come and go by themselves. @throws WhorlError TERMINAL_UNKNOWN, TERMINAL_PORTABLE */
  #fixed(terminal: string): void {
    this.#place(terminal);
    if (this.#site.isPortable(terminal))
      throw new WhorlError('TERMINAL_PORTABLE', `${terminal} is a portable terminal`);
  }

  #has(terminal: string): boolean {
    return this.#site.configured.some((place) => place.terminal === terminal);
  }
}

function unknownUser(id: number): WhorlError {
  return new WhorlError('USER_UNKNOWN', `there is no user ${id}`);
}
