import { RequestError } from '../values/given.ts';

/** What stands behind an action on the command line. */
export interface ActionArguments {
  /** Options of the action, as its request wants them. */
  readonly body: Readonly<Record<string, string>>;
  readonly help: boolean;
  readonly json: boolean;
  readonly controlPort: string | undefined;
}

const SHARED = new Set(['json', 'control-port']);

/**
 * Reads `--user 1042 --fingers=2`. What every command has may stand among them.
 * @throws RequestError for what is no option, or lacks its value, or comes twice
 */
export function readArguments(rest: readonly string[]): ActionArguments {
  const found = new Map<string, string>();
  for (let i = 0; i < rest.length; i += 1) {
    const given = rest[i] ?? '';
    const [, name, attached] = /^--([a-z][a-z-]*)(?:=(.*))?$/s.exec(given === '-h' ? '--help' : given) ?? [];
    if (name === undefined)
      throw new RequestError('', `${given}: options are written --name value, such as --user 1042`);
    if (found.has(name)) throw new RequestError(name, `--${name} is given twice`);
    const isSwitch = name === 'json' || name === 'help';
    const value = isSwitch ? '' : (attached ?? rest[(i += 1)]);
    // What begins like an option is the next one; a value that does is written with `=`.
    if (value === undefined || (attached === undefined && value.startsWith('--')))
      throw new RequestError(name, `--${name} lacks its value`);
    found.set(name, value);
  }
  const body = Object.fromEntries([...found].filter(([name]) => !SHARED.has(name) && name !== 'help'));
  return {
    body,
    help: found.has('help'),
    json: found.has('json'),
    controlPort: found.get('control-port'),
  };
}
