/** The site that a terminal's name speaks of, `north` of `north/door-1`; `undefined` for one's own terminals. */
export function siteOf(terminal: string): string | undefined {
  const slash = terminal.indexOf('/');
  return slash < 0 ? undefined : terminal.slice(0, slash);
}
