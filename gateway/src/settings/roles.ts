/** Who may do what; each may also do what stands before it. What a route needs stands with the route. */
export const ROLES = ['viewer', 'operator', 'installer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** In words, for people who choose one. */
export const ROLE_DOCS: Readonly<Record<Role, string>> = {
  viewer: 'sees everything but templates, and changes nothing',
  operator: 'works with users: adds, edits, deletes, pushes, pulls, decides conflicts',
  installer: 'also works with terminals and settings: pairs, compares, changes what goes where',
  admin: 'also works with accounts and tokens, reads the audit trail, exports whole users',
};

/** Whether somebody with the role `has` may do what needs `needs`. */
export function mayDo(has: Role, needs: Role): boolean {
  return ROLES.indexOf(has) >= ROLES.indexOf(needs);
}
