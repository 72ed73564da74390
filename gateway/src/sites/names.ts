import type { Provenance } from '../store/store.ts';
import type { Writer } from './requests.ts';

// Terminals of another gateway are named with it: `north/door-1`. No terminal of one's own has a slash in its name.

/** How others are told who wrote a field. */
export function told(site: string, by: Provenance): Writer {
  const { origin, terminal, time, found } = by;
  const name = terminal === undefined || terminal.includes('/') ? terminal : `${site}/${terminal}`;
  return {
    origin,
    time,
    ...(name === undefined ? {} : { terminal: name }),
    ...(found && { found }),
    ...attribution(by),
  };
}

/** Who wrote a field, as others told it. */
export function heard(site: string, by: Writer): Provenance {
  const { origin, terminal, time, found } = by;
  const own = `${site}/`;
  const name = terminal?.startsWith(own) === true ? terminal.slice(own.length) : terminal;
  return {
    origin,
    time,
    ...(name === undefined ? {} : { terminal: name }),
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
