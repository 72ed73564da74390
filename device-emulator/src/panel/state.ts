import type { FleetEvent } from '../events/event.ts';
import type { Active, Fault, Line, Module, Terminal } from './shapes.ts';

/** All that the panel shows, but for the traffic: never changed, only replaced. */
export interface State {
  readonly lines: ReadonlyMap<string, Line>;
  readonly terminals: ReadonlyMap<string, Terminal>;
  /** Modules with contacts and relays. */
  readonly modules: ReadonlyMap<string, Module>;
  /** What is wrong at the moment. */
  readonly active: readonly Active[];
  /** What can go wrong. */
  readonly faults: { readonly line: readonly Fault[]; readonly terminal: readonly Fault[] };
}

export const NOTHING_YET: State = {
  lines: new Map(),
  terminals: new Map(),
  modules: new Map(),
  active: [],
  faults: { line: [], terminal: [] },
};

/** Log records after which a terminal holds one user more or fewer. */
const COUNT_CHANGES = /^user\.|^terminal\.(started|paired)/;

/**
 * What things are like after an event.
 * @returns the same state when nothing that is shown has changed
 */
export function apply(state: State, event: FleetEvent): State {
  switch (event.kind) {
    case 'display':
      return withTerminal(state, event.terminal, () => ({ lines: [...event.lines], led: event.led }));
    case 'door':
      return withTerminal(state, event.terminal, () => ({ released: event.released }));
    case 'power':
      return withTerminal(state, event.terminal, ({ users }) => ({
        power: event.power,
        users: event.power === 'on' ? users : null,
      }));
    case 'dock':
      return withTerminal(state, event.terminal, () => ({ docked: event.docked }));
    case 'sensors':
      return withTerminal(state, event.terminal, () => ({ docked: event.docked }));
    case 'plug':
      return event.terminal === undefined
        ? withLine(state, event.line, { plugged: event.plugged })
        : withTerminal(state, event.terminal, () => ({ plugged: event.plugged }));
    case 'fault':
      return withFault(state, { fault: event.fault, on: event.terminal ?? event.line }, event.active);
    case 'module':
      return withModule(state, event);
    case 'enrolment':
      return withTerminal(state, event.terminal, () => ({ enrolment: enrolmentOf(event) }));
    case 'identified':
    case 'denied':
    case 'log':
    case 'frame':
    case 'missed':
      return state;
  }
}

/** Whether a terminal has to be asked anew after an event: how many it holds is not told. */
export function staleAfter(event: FleetEvent): string | undefined {
  if (event.kind === 'power' && event.power === 'on') return event.terminal;
  return event.kind === 'log' && COUNT_CHANGES.test(event.what) ? event.terminal : undefined;
}

export function withSnapshot(state: State, terminal: Terminal): State {
  return withTerminal(state, terminal.name, () => terminal);
}

/** What is wrong at a terminal or line itself. */
export function activeAt(state: State, on: string): readonly string[] {
  return state.active.filter((one) => one.on === on).map(({ fault }) => fault);
}

/** Modules that a search is for: by their own name, or that of a register. */
export function foundModules({ modules }: State, search: string): readonly Module[] {
  const wanted = search.trim().toLowerCase();
  return [...modules.values()].filter(({ name, registers }) =>
    [name, ...registers.map((one) => one.name)].some((text) => text.toLowerCase().includes(wanted)),
  );
}

/** Lines with those of their terminals that a search is for; a line that is meant itself comes with all of them. */
export function found(
  state: State,
  search: string,
): readonly { readonly line: Line; readonly terminals: readonly Terminal[] }[] {
  const wanted = search.trim().toLowerCase();
  const has = (text: string): boolean => text.toLowerCase().includes(wanted);
  return [...state.lines.values()].flatMap((line) => {
    const all = line.terminals.flatMap((name) => state.terminals.get(name) ?? []);
    if (wanted === '' || has(line.name)) return [{ line, terminals: all }];
    const terminals = all.filter(({ name, serial, model }) => has(name) || has(serial) || has(model));
    return terminals.length === 0 ? [] : [{ line, terminals }];
  });
}

function enrolmentOf(event: Extract<FleetEvent, { kind: 'enrolment' }>): Terminal['enrolment'] {
  if (event.step === 'done' || event.step === 'failed') return null;
  const { user, credential, reading, readings } = event;
  return { user, credential, reading, readings };
}

function withTerminal(state: State, name: string, change: (one: Terminal) => Partial<Terminal>): State {
  const before = state.terminals.get(name);
  if (before === undefined) return state;
  return { ...state, terminals: new Map(state.terminals).set(name, { ...before, ...change(before) }) };
}

function withLine(state: State, name: string, change: Partial<Line>): State {
  const before = state.lines.get(name);
  if (before === undefined) return state;
  return { ...state, lines: new Map(state.lines).set(name, { ...before, ...change }) };
}

function withModule(
  state: State,
  { module: name, alive, register, value }: Extract<FleetEvent, { kind: 'module' }>,
): State {
  const before = state.modules.get(name);
  if (before === undefined) return state;
  const registers = before.registers.map((one) =>
    one.name === register && value !== undefined ? { ...one, value } : one,
  );
  return { ...state, modules: new Map(state.modules).set(name, { ...before, alive, registers }) };
}

function withFault(state: State, { fault, on }: Active, isActive: boolean): State {
  const others = state.active.filter((one) => one.on !== on || one.fault !== fault);
  const all = [...state.faults.line, ...state.faults.terminal];
  const lasts = all.find(({ name }) => name === fault)?.lasts ?? true;
  return { ...state, active: isActive && lasts ? [...others, { fault, on }] : others };
}
