import type { StoreParts } from '../store-parts.ts';
import type { Store } from '../store.ts';

/** The store's parts by name; `store` is what stands in {@link Store} itself. */
export interface Parts extends StoreParts {
  readonly store: Store;
}

/** Those of a part whose answer is a promise: they can be asked of a thread. */
export type MethodOf<Part> = {
  [Name in keyof Part]: Part[Name] extends (...given: never) => Promise<unknown> ? Name : never;
}[keyof Part] &
  string;

/** Every method that crosses to the store's thread. One that is missing here, or that no part has, is a type error. */
export const METHODS: { readonly [Part in keyof Parts]: Readonly<Record<MethodOf<Parts[Part]>, true>> } = {
  store: {
    ...{ settings: true, saveSettings: true, pairings: true, savePairings: true, note: true, saveNote: true },
    ...{ secretNote: true, saveSecretNote: true },
    ...{ terminals: true, saveTerminal: true, settleComparison: true, recordIntake: true },
    ...{ addEvents: true, events: true },
    ...{ user: true, users: true, countUsers: true, saveUser: true, saveUsers: true, freeUser: true },
    ...{ conflicts: true, conflict: true, conflictsOf: true, countConflicts: true },
    ...{ duePulls: true, nextDue: true, openPulls: true, pullCounts: true, requestPull: true },
    ...{
      releasePulls: true,
      postponePull: true,
      dueLedger: true,
      markSending: true,
      settleLedger: true,
      writeLedger: true,
    },
    ...{ readmit: true, ledger: true, ledgerOf: true, ledgerCounts: true, close: true },
  },
  access: {
    ...{ accounts: true, account: true, saveAccount: true, deleteAccount: true, token: true, session: true },
    ...{ tokens: true, addToken: true, renewToken: true, deleteToken: true, forgetTokens: true },
  },
  audit: { append: true, rows: true, deeds: true, head: true },
  jobs: { add: true, save: true, job: true, list: true, interrupt: true },
  members: { membership: true, takeHouse: true, takeSite: true, leaveSite: true },
  partials: { get: true, put: true },
  backups: { make: true, copy: true, erase: true },
  sites: {
    ...{
      begin: true,
      runs: true,
      heads: true,
      sites: true,
      saveSite: true,
      removeSite: true,
      resetSite: true,
    },
    ...{ changes: true, changesBefore: true, countChanges: true, erased: true, cursor: true, mark: true },
    ...{
      held: true,
      saveHeld: true,
      forgetHeld: true,
      doubtHeld: true,
      countHeld: true,
      born: true,
      gone: true,
      bases: true,
      baseUsers: true,
    },
    ...{ aside: true, countAside: true, siteEvents: true, tellers: true, holdingChanges: true },
    ...{ ownReport: true, siteReport: true, ownHoldings: true, siteHoldings: true },
  },
  spill: { keep: true, waiting: true, drain: true },
  tasks: {
    ...{ tasks: true, task: true, saveTask: true, removeTask: true, takeLists: true },
    ...{ operators: true, saveOperator: true, removeOperator: true },
    ...{ files: true, saveFile: true, readFile: true, removeFile: true },
    ...{ beginSync: true, saveSync: true, sync: true, syncs: true, syncCounts: true },
    ...{ sent: true, saveSent: true, keepSent: true, portables: true, savePortable: true },
    ...{ births: true, saveHeld: true },
  },
  versions: { of: true },
  tombstones: { of: true, whose: true },
  vault: { status: true, begin: true, reseal: true, finish: true, beginRenewal: true, renew: true },
};
