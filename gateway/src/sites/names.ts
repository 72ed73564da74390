import type { Provenance } from '../store/store.ts';
import type { Writer } from './requests.ts';

// Terminals of another gateway are named with it: `north/door-1`. No terminal of one's own has a slash in its name.

/** How others are told who wrote a field. */
export function told(site: string, { origin, terminal, time, found }: Provenance): Writer {
  const name = terminal === undefined || terminal.includes('/') ? terminal : `${site}/${terminal}`;
  return { origin, time, ...(name === undefined ? {} : { terminal: name }), ...(found && { found }) };
}

/** Who wrote a field, as others told it. */
export function heard(site: string, { origin, terminal, time, found }: Writer): Provenance {
  const own = `${site}/`;
  const name = terminal?.startsWith(own) === true ? terminal.slice(own.length) : terminal;
  return { origin, time, ...(name === undefined ? {} : { terminal: name }), ...(found && { found }) };
}

/** Stands for a site where no terminal of it wrote something. */
export function itself(site: string): string {
  return `${site}/-`;
}
