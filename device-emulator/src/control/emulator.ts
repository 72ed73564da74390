import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import { eventSchema } from '../events/event.ts';
import type { EventKind, FleetEvent } from '../events/event.ts';
import { LINE_ACTIONS, MODULE_ACTIONS, TERMINAL_ACTIONS } from './actions.ts';
import { Client } from './client.ts';
import { activeFaults, faultsView, healAnswer } from './fault-routes.ts';
import { detailsView, lineView, terminalView } from './views.ts';

interface Actions {
  readonly terminals: typeof TERMINAL_ACTIONS;
  readonly lines: typeof LINE_ACTIONS;
  readonly modules: typeof MODULE_ACTIONS;
}

const ACTIONS: Actions = { terminals: TERMINAL_ACTIONS, lines: LINE_ACTIONS, modules: MODULE_ACTIONS };

type NameIn<Area extends keyof Actions> = keyof Actions[Area] & string;
type Row<Area extends keyof Actions, Name extends NameIn<Area>> = Actions[Area][Name] extends {
  readonly shape: infer Shape extends z.core.$ZodLooseShape;
  readonly answer: infer Answer extends z.ZodType;
}
  ? { readonly given: z.input<z.ZodObject<Shape, z.core.$strict>>; readonly told: z.output<Answer> }
  : never;

/** What an action at a terminal is given, and what it tells. */
export type TerminalAction = NameIn<'terminals'>;
export type Wanted<Name extends TerminalAction> = Row<'terminals', Name>['given'];
export type Told<Name extends TerminalAction> = Row<'terminals', Name>['told'];

export interface EventsWanted {
  readonly line?: string | undefined;
  readonly terminal?: string | undefined;
  readonly kinds?: readonly EventKind[] | undefined;
  /** Id of an event: from what came after it; 0 for all that is kept. */
  readonly after?: number | undefined;
}

/**
 * A running emulator, for tests: everything that its control can do, with the types of the schemas that it checks by.
 * All methods throw WhorlError CONTROL_UNREACHABLE, and what the emulator refuses with.
 */
export class Emulator {
  readonly #client: Client;

  /** @param port of its control, on this machine */
  constructor(port: number) {
    this.#client = new Client(port);
  }

  /** Does something at a terminal: `await emulator.at('front-door', 'card', { user: 7 })`. */
  at<Name extends TerminalAction>(terminal: string, action: Name, given: Wanted<Name>): Promise<Told<Name>> {
    return this.#act('terminals', terminal, action, given);
  }

  /** Does something to a line. */
  on<Name extends NameIn<'lines'>>(line: string, action: Name): Promise<Row<'lines', Name>['told']> {
    return this.#act('lines', line, action, {});
  }

  /** Does something to a module with contacts and relays. */
  module<Name extends NameIn<'modules'>>(
    module: string,
    action: Name,
    given: Row<'modules', Name>['given'],
  ): Promise<Row<'modules', Name>['told']> {
    return this.#act('modules', module, action, given);
  }

  lines(): Promise<z.output<typeof lineView>[]> {
    return this.#client.get('/lines', z.array(lineView));
  }

  /** @param line only those of this one */
  terminals(line?: string): Promise<z.output<typeof terminalView>[]> {
    const query = line === undefined ? '' : `?${new URLSearchParams({ line }).toString()}`;
    return this.#client.get(`/terminals${query}`, z.array(terminalView));
  }

  terminal(name: string): Promise<z.output<typeof detailsView>> {
    return this.#client.get(`/terminals/${encodeURIComponent(name)}`, detailsView);
  }

  /** The catalogue, and what is wrong at the moment. */
  faults(): Promise<z.output<typeof faultsView>> {
    return this.#client.get('/faults', faultsView);
  }

  /** @param place a line or a terminal @param parameters as the catalogue says; `for: '10s'` ends it by itself */
  begin(place: string, fault: string, parameters: object = {}): Promise<z.output<typeof activeFaults>> {
    return this.#client.post(`/faults/${encodeURIComponent(place)}/${fault}`, parameters, activeFaults);
  }

  /** @param fault all of the place when it is not said */
  heal(place: string, fault?: string): Promise<z.output<typeof healAnswer>> {
    const path = `/faults/${encodeURIComponent(place)}`;
    return this.#client.remove(fault === undefined ? path : `${path}/${fault}`, healAnswer);
  }

  /** What happens from now on, or after an event, until `signal` ends it or the emulator does. */
  async *events(wanted: EventsWanted, signal: AbortSignal): AsyncGenerator<FleetEvent, void> {
    const { line, terminal, kinds, after } = wanted;
    const query = new URLSearchParams({
      ...(line === undefined ? {} : { line }),
      ...(terminal === undefined ? {} : { terminal }),
      ...(kinds === undefined ? {} : { kind: kinds.join(',') }),
      ...(after === undefined ? {} : { after: String(after) }),
    });
    let rest = '';
    for await (const piece of this.#client.stream(`/events?${query.toString()}`, signal)) {
      const blocks = (rest + piece).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = block.split('\n').find((one) => one.startsWith('data: '));
        if (data !== undefined) yield eventSchema.parse(JSON.parse(data.slice('data: '.length)));
      }
    }
  }

  /**
   * The first event that is meant, which may have happened already when `after` says so.
   * @param what is awaited, for the message when it does not come
   * @throws WhorlError CONTROL_FAILED naming what was awaited
   */
  async awaited(
    what: string,
    wanted: EventsWanted,
    isMeant: (event: FleetEvent) => boolean,
    { withinMs }: { readonly withinMs: number },
  ): Promise<FleetEvent> {
    for await (const event of this.events(wanted, AbortSignal.timeout(withinMs)))
      if (isMeant(event)) return event;
    throw new WhorlError('CONTROL_FAILED', `awaited for ${withinMs} ms in vain: ${what}`);
  }

  #act<Told>(area: keyof Actions, name: string, action: string, given: object): Promise<Told> {
    const rows: Readonly<Record<string, { readonly answer: z.ZodType }>> = ACTIONS[area];
    const answer = rows[action]?.answer ?? z.never();
    // The row's own schema reads it, so that it is what the row says.
    return this.#client.post(
      `/${area}/${encodeURIComponent(name)}/${action}`,
      given,
      answer as z.ZodType<Told>,
    );
  }
}
