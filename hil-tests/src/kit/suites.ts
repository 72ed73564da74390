/** What `whorl-hil` runs: files beside each other in `suites`, whose behaviours run on any rig. */
export const SUITES = {
  broadcast: 'what goes to many terminals of a line at once',
  compare: 'a terminal’s content compared with what it should be',
  conflicts: 'values that differ, and who decides',
  enrolment: 'users who are enrolled, edited and deleted at terminals',
  gaps: 'logs that were overwritten, cleared or reset before they were read',
  guard: 'changes that would remove many users',
  resume: 'transfers that are broken off, and go on',
  roll: 'terminals that answer the roll call wrongly',
  scope: 'who gets which users',
  sealed: 'pairing, sessions, and who is let in',
  trouble: 'pulled cables, lost power, noise, restarts',
} as const satisfies Readonly<Record<string, string>>;

export type SuiteName = keyof typeof SUITES;

export function isSuite(name: string): name is SuiteName {
  return Object.hasOwn(SUITES, name);
}
