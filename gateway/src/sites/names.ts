import type { Provenance } from '../store/store.ts';
import type { Writer } from './requests.ts';

// Terminals of another gateway are named with it: `north/door-1`. No terminal of one's own has a slash in its name.

/** How others are told who wrote a field. */
export function told(site: string, by: Provenance): Writer {
  const { terminal } = by;
  return named(by, terminal === undefined || terminal.includes('/') ? terminal : `${site}/${terminal}`);
}

/** Who wrote a field, as others told it. */
export function heard(site: string, by: Writer): Provenance {
  const { terminal } = by;
  const own = `${site}/`;
  return named(by, terminal?.startsWith(own) === true ? terminal.slice(own.length) : terminal);
}

/** What travels of who wrote a field. */
function named(by: Writer, terminal: string | undefined): Writer {
  const { origin, time, found } = by;
  return {
    ...{ origin, time },
    ...(terminal === undefined ? {} : { terminal }),
    ...(found && { found }),
    ...attribution(by),
  };
}

/** Stands for a site where no terminal of it wrote something. */
export function itself(site: string): string {
  return `${site}/-`;
}

/** Tasks and operators are the master's: a number is the same one everywhere. */
export function attribution({ task, operator }: Pick<Provenance, 'task' | 'operator'>): {
  readonly task?: number;
  readonly operator?: number;
} {
  return { ...(task === undefined ? {} : { task }), ...(operator === undefined ? {} : { operator }) };
}
