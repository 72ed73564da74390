import { describe } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';
import type { NewEvent, StoredEvent } from '../events/catalogue.ts';
import type { EventHub } from '../events/hub.ts';
import type { Log } from '../settings/log.ts';
import { DEFAULT_RUNTIME_SETTINGS } from '../settings/runtime.ts';
import type { RuntimeSettings } from '../settings/runtime.ts';
import type { Store, TerminalRow } from '../store/store.ts';
import { Comparisons } from './comparisons.ts';
import { Gate } from '../lines/gate.ts';
import { placesOf } from './scope.ts';
import type { Place, Scope } from './scope.ts';
import { Trouble, troubleOf } from './trouble.ts';

/** So many keep the database busy while the next ones are worked on. */
const PAGES_AT_ONCE = 4;

export interface SiteParts {
  readonly store: Store;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly places: readonly Place[];
  /** Whether users are still to come from a master. */
  readonly awaits?: boolean | undefined;
}

/** What the parts of the sync share: the store, the settings in force, the places, and how to wake who has work. */
export class Site {
  readonly store: Store;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly log: Log;
  readonly comparisons: Comparisons;
  readonly trouble: Trouble;
  /** Pages of logs in storms: whoever asks over the API is not to wait until those of all terminals are worked on. */
  readonly storms = new Gate(PAGES_AT_ONCE);
  /** Users are still to come from a master: whom terminals hold already are not asked for meanwhile. */
  awaits: boolean;
  /** As the configuration has them. */
  readonly configured: readonly Place[];
  #settings: RuntimeSettings = DEFAULT_RUNTIME_SETTINGS;
  #places: readonly Place[];
  #terminals: ReadonlyMap<string, TerminalRow> = new Map();
  readonly #portables = new Set<string>();
  readonly #wakers = new Map<string, () => void>();

  constructor(parts: SiteParts) {
    this.store = parts.store;
    this.hub = parts.hub;
    this.clock = parts.clock;
    this.log = parts.log;
    this.comparisons = new Comparisons(parts.clock);
    this.trouble = new Trouble(parts);
    this.configured = parts.places;
    this.awaits = parts.awaits ?? false;
    this.#places = parts.places;
  }

  /** Milliseconds UTC. */
  get now(): number {
    return this.clock.wallTime();
  }

  get settings(): RuntimeSettings {
    return this.#settings;
  }

  set settings(settings: RuntimeSettings) {
    this.#settings = settings;
    this.#places = placesOf(this.configured, settings.scope, this.#portables);
  }

  /** As the settings have them now. */
  get places(): readonly Place[] {
    return this.#places;
  }

  isPortable(terminal: string): boolean {
    return this.#portables.has(terminal);
  }

  get portables(): ReadonlySet<string> {
    return this.#portables;
  }

  /** What kind of terminal answers under a name. @returns whether that is news */
  setPortable(terminal: string, portable: boolean): boolean {
    if (this.#portables.has(terminal) === portable) return false;
    if (portable) this.#portables.add(terminal);
    else this.#portables.delete(terminal);
    this.#places = placesOf(this.configured, this.#settings.scope, this.#portables);
    return true;
  }

  get scope(): Scope {
    return { autoSync: this.#settings.autoSync, places: this.#places };
  }

  /** Reads the settings that were changed at run time, which terminals are portable, and how all stood. */
  async load(): Promise<void> {
    await this.refresh({ portables: true });
    this.#terminals = new Map((await this.store.terminals()).map((row) => [row.name, row]));
  }

  /**
   * Reads again what another process may have changed.
   * @param portables whether it is others who greet terminals
   * @returns whether settings are others now
   */
  async refresh({ portables }: { readonly portables: boolean }): Promise<boolean> {
    const before = JSON.stringify(this.#settings);
    if (portables) {
      const known = await this.store.tasks.portables();
      this.#portables.clear();
      for (const terminal of known) this.#portables.add(terminal);
    }
    this.settings = { ...DEFAULT_RUNTIME_SETTINGS, ...(await this.store.settings()) };
    return JSON.stringify(this.#settings) !== before;
  }

  /** All that were to come from the master have. */
  complete(): void {
    if (!this.awaits) return;
    this.awaits = false;
    this.wake();
  }

  /** How a terminal stood when the gateway started; afterwards, whoever works for it knows. */
  stood(terminal: string): TerminalRow | undefined {
    return this.#terminals.get(terminal);
  }

  onWake(terminal: string, wake: () => void): void {
    this.#wakers.set(terminal, wake);
  }

  /** Tells those who work for a terminal (or for all) that there may be something to do. */
  wake(terminal?: string): void {
    if (terminal !== undefined) this.#wakers.get(terminal)?.();
    else for (const wake of this.#wakers.values()) wake();
  }

  /** For events that are safely stored. */
  publish(events: readonly StoredEvent[]): void {
    for (const { type, user } of events)
      if (user !== undefined && (type === 'user.removed' || type === 'user.erased'))
        this.comparisons.forget(user);
    this.hub.publish(events);
  }

  /** Stores events that stand alone; those that the database cannot take wait beside it. Never throws: the event was the last thing to do. */
  async tell(...events: readonly NewEvent[]): Promise<void> {
    try {
      this.publish(await this.store.addEvents(events));
    } catch (error) {
      if (troubleOf(error) !== undefined) await this.trouble.keep(events);
      else
        this.log.error(
          { events: events.map((event) => event.type) },
          `events could not be stored: ${describe(error)}`,
        );
    }
  }
}
