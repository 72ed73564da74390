import { decodeUser, describe, readRecord, WhorlError } from '@whorl/protocol';
import type { Cancel, Capabilities, SlotAnswer, User, UserRecord } from '@whorl/protocol';
import type { Call } from './call.ts';
import type { Enrolment } from './enrolment.ts';
import { FlashGate, PowerCut } from './flash.ts';
import { heldBy } from './held.ts';
import type { Happening, Held } from './held.ts';
import type { Link } from './link.ts';
import type { LinkCounters } from './link-counters.ts';
import type { Model } from './model.ts';
import type { Noticed, Power, TellNoticed } from './noticed.ts';
import type { PairingDisplay } from './pairing.ts';
import type { Edit, Panel, Tap } from './panel.ts';
import type { Display } from './portable/display.ts';
import type { Button, Portable } from './portable/portable.ts';
import { startUp } from './running.ts';
import type { Running } from './running.ts';
import { MAINS_MV, sensors } from './sensors.ts';
import type { Sensors } from './sensors.ts';
import type { SharedUsers } from './users.ts';
import { shownLog } from './shown-log.ts';
import type { ShownLog } from './shown-log.ts';
import type { TerminalOptions } from './terminal-options.ts';
import { hex } from './users.ts';

const NOTHING: readonly Uint8Array[] = [];

/**
 * A terminal: it hears frames and answers with frames, people press its buttons, and it keeps what it holds on its
 * flash. It is on when it has been made. All methods of people and of tests throw TERMINAL_OFF while it is not.
 */
export class Terminal {
  readonly serial: string;
  readonly address: number;
  readonly model: Model;
  /** What it measures of the world around it. */
  readonly sensors: Sensors;
  /** Its flash, to be worn out or cut off. */
  readonly flash: FlashGate;
  readonly #options: TerminalOptions;
  /** What it cannot do although it says so. */
  readonly #lacks = new Set<Partial<Capabilities>>();
  readonly #silent: (() => void)[] = [];
  readonly #news: (() => void)[] = [];
  readonly #watchers = new Set<TellNoticed>();
  #running: Running | undefined;
  #start: Cancel | undefined;
  #failure: string | undefined;
  /** How long what it was asked last takes it, milliseconds. */
  workMs = 0;

  /** @throws WhorlError FLASH_FAILED */
  constructor(options: TerminalOptions) {
    this.#options = options;
    this.serial = options.serial;
    this.address = options.address;
    this.model = options.model;
    this.flash = new FlashGate(options.flash);
    this.sensors = sensors(this.model.capabilities.does.portable);
    this.#boot();
  }

  get power(): Power {
    if (this.#running !== undefined) return 'on';
    return this.#start === undefined ? 'off' : 'starting';
  }

  /** Starts it, which takes as long as the model says. */
  powerOn(): void {
    if (this.power !== 'off') return;
    this.#start = this.#options.clock.after(this.model.bootMs, () => {
      this.#start = undefined;
      this.#bootAgain();
    });
    this.#tell({ kind: 'power', power: 'starting' });
  }

  /** Why it did not start when it was switched on last; `undefined` when it did. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** At once, in the middle of whatever it does; what was not on flash is gone. */
  powerOff(): void {
    this.#start?.();
    this.#start = undefined;
    this.#running?.store.powerLost();
    this.#running = undefined;
    for (const silent of this.#silent) silent();
    this.#tell({ kind: 'power', power: 'off' });
  }

  reboot(): void {
    this.powerOff();
    this.powerOn();
  }

  /** Calls `silent` each time that it loses power: the bus then cuts off what it was saying. */
  onSilent(silent: () => void): void {
    this.#silent.push(silent);
  }

  /** Calls `news` when people have done something that the gateway has not read. */
  onNews(news: () => void): void {
    this.#news.push(news);
  }

  /** Calls `told` with all that may be noticed of it. @returns what ends that */
  watch(told: TellNoticed): () => void {
    this.#watchers.add(told);
    return () => void this.#watchers.delete(told);
  }

  // The wire.

  /**
   * Takes a frame as it stood between two delimiters.
   * @returns the frames that it answers, as they go over the wire; none for what is not for it
   */
  hear(stuffed: Uint8Array): readonly Uint8Array[] {
    const { workedMs } = this.#running ?? {};
    const before = workedMs?.() ?? 0;
    const said = this.#heard((link) => link.hear(stuffed)) ?? NOTHING;
    this.workMs = (workedMs?.() ?? 0) - before;
    return said;
  }

  /** Takes a frame that is for all terminals of the line. @returns what it says in its slot, if anything */
  hearCall(call: Call): SlotAnswer | undefined {
    return this.#heard((link) => link.hearCall(call));
  }

  /** Its raised hand as it goes over the wire, when it has logs that the gateway has not read. */
  hand(): Uint8Array | undefined {
    return this.#running?.link.hand();
  }

  /** What it has heard since it started. */
  get counters(): Readonly<LinkCounters> {
    return this.#on().link.counters;
  }

  // People.

  /** Enrols; see {@link Panel.enrol}. @returns the user's id */
  enrol(enrolment: Enrolment): number {
    return this.#act((panel) => panel.enrol(enrolment));
  }

  /** Changes fields of a user; see {@link Panel.edit}. @returns whether anything is different now */
  edit(edit: Edit): boolean {
    return this.#act((panel) => panel.edit(edit));
  }

  /** Deletes a user. @throws WhorlError TERMINAL_NO_USER */
  remove(user: number): void {
    this.#act((panel) => panel.remove(user));
  }

  /** Somebody asks to be let in; see {@link Panel.tap}. */
  tap(tap: Tap): { granted: boolean; user: number } {
    return this.#act((panel) => panel.tap(tap));
  }

  /** An enrolment is begun and given up. */
  enrolFailed(user?: number): void {
    this.#act((panel) => panel.enrolFailed(user));
  }

  /** The housing is opened. */
  tamper(): void {
    this.#act((panel) => panel.tamper());
  }

  /** Somebody chooses "pair" in the menu. @returns the code that the display shows, for two minutes */
  pair(): string {
    return this.#on().pairing.open();
  }

  /** What it shows of a pairing. */
  get pairing(): PairingDisplay {
    return this.#on().pairing.display;
  }

  /** Whether it has a pairing key. */
  get isPaired(): boolean {
    return this.#on().store.state.key !== undefined;
  }

  /** Gives it its pairing key, as its maker or a pairing would; `undefined` takes it away. @param key 32 bytes */
  setKey(key: Uint8Array | undefined): void {
    this.#act((panel) => panel.setKey(key));
  }

  /** Sets the clock; see {@link Panel.setClock}. */
  setClock(shown: number, ppm?: number): void {
    this.#act((panel) => panel.setClock(shown, ppm));
  }

  /** Shifts the clock as an empty battery does: the log says nothing. */
  slipClock(byMs: number): void {
    this.#act((panel) => panel.slipClock(byMs));
  }

  /** So many strangers ask to be let in. */
  turnAway(strangers: number): void {
    this.#act((panel) => panel.turnAway(strangers));
  }

  /** From now on it cannot do what it says it can. @returns what ends it */
  lack(lack: Partial<Capabilities>): () => void {
    this.#lacks.add(lack);
    return () => void this.#lacks.delete(lack);
  }

  clearLog(): void {
    this.#act((panel) => panel.clearLog());
  }

  /** Makes it as new, and starts it again. */
  factoryReset(): void {
    this.#act((panel) => panel.factoryReset());
    this.reboot();
  }

  /** Puts users in place as if they had always been there; see {@link Panel.load}. */
  load(users: readonly UserRecord[] | SharedUsers): void {
    this.#act((panel) => panel.load(users));
  }

  /** Takes users away as if they had never been there; see {@link Panel.unload}. */
  unload(users: readonly number[]): void {
    this.#act((panel) => panel.unload(users));
  }

  /** Makes it hold what another one held; see {@link Panel.restore}. */
  restore(held: Held): void {
    this.#act((panel) => panel.restore(held));
  }

  /** Makes happen here what happened at another one; see {@link Panel.relive}. */
  relive(happening: Happening): void {
    this.#act((panel) => panel.relive(happening));
  }

  // A portable terminal.

  /** Presses a button; see {@link Portable.press}. */
  press(button: Button): Display {
    return this.#act(() => {
      this.#portable().press(button);
      return this.display;
    });
  }

  /** Puts it into its charging dock, or takes it out: supply voltage comes or goes, whether it is on or not. */
  setSupply(present: boolean): void {
    this.sense({ docked: present, supplyMv: present ? MAINS_MV : 0 });
    if (this.power === 'on') this.#act(() => this.#running?.portable?.setSupply(present));
    this.#tell({ kind: 'dock', docked: present });
  }

  /** What it measures is different from now on. */
  sense(change: Partial<Sensors>): void {
    Object.assign(this.sensors, change);
    this.#tell({ kind: 'sensors', sensors: { ...this.sensors } });
  }

  /** What it shows. @throws WhorlError TERMINAL_NOT_PORTABLE */
  get display(): Display {
    return this.#portable().display;
  }

  get isPortable(): boolean {
    return this.model.capabilities.does.portable;
  }

  // Looking.

  /** Who is held, ascending: id to digest in hex. */
  users(): Map<number, string> {
    const { users } = this.#on().store.state;
    return new Map(users.ids().map((id) => [id, hex(users.get(id)?.digest)]));
  }

  get userCount(): number {
    return this.#on().store.state.users.size;
  }

  user(id: number): User | undefined {
    const held = this.#on().store.state.users.get(id);
    return held === undefined ? undefined : decodeUser(held.bytes);
  }

  /** Who holds a card, in which slot. @param number of the card */
  holderOf(number: Uint8Array): { readonly user: number; readonly field: number } | undefined {
    return this.#on().store.state.users.holderOf(number);
  }

  record(id: number): UserRecord | undefined {
    const held = this.#on().store.state.users.get(id);
    return held === undefined ? undefined : readRecord(held.bytes);
  }

  /** Objects that are on their way to it. */
  get staged(): number {
    return this.#on().store.state.staging.size;
  }

  /** Digest of the user table, in hex. */
  get tableDigest(): string {
    return hex(this.#on().store.state.users.digest);
  }

  /** The log records kept, ascending; at most the newest `most`. */
  logs(most = Number.POSITIVE_INFINITY): ShownLog[] {
    const { log } = this.#on().store.state;
    return log.page(Math.max(0, log.last - most), log.size).map(shownLog);
  }

  /** All that it keeps but its key and what is on its way, to make another one the same. */
  get held(): Held {
    return heldBy(this.#on().store);
  }

  get boots(): number {
    return this.#on().store.state.boots;
  }

  get epoch(): number {
    return this.#on().store.state.epoch;
  }

  /** What its clock shows, milliseconds UTC. */
  get shown(): number {
    return this.#on().store.shown();
  }

  #boot(): void {
    const tell = this.#tell.bind(this);
    const { flash } = this;
    const { docked: supply } = this.sensors;
    try {
      this.#running = startUp({ ...this.#options, flash, lacks: this.#lacks, supply, tell });
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
  }

  /** Nobody waits for a start by the clock: what goes wrong is kept for whoever looks. */
  #bootAgain(): void {
    this.#failure = undefined;
    try {
      this.#boot();
    } catch (error) {
      this.#failure = describe(error);
    }
    this.#tell({ kind: 'power', power: this.power });
  }

  #tell(noticed: Noticed): void {
    for (const told of this.#watchers) told(noticed);
  }

  #portable(): Portable {
    const { portable } = this.#on();
    if (portable === undefined)
      throw new WhorlError('TERMINAL_NOT_PORTABLE', `terminal ${this.serial} is a ${this.model.name}`);
    return portable;
  }

  #on(): Running {
    if (this.#running !== undefined) return this.#running;
    const reason = this.#failure === undefined ? '' : `: ${this.#failure}`;
    throw new WhorlError('TERMINAL_OFF', `terminal ${this.serial} is ${this.power}${reason}`);
  }

  #heard<T>(by: (link: Link) => T): T | undefined {
    if (this.#running === undefined) return undefined;
    try {
      return by(this.#running.link);
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.powerOff();
      return undefined;
    }
  }

  #act<T>(action: (panel: Panel) => T): T {
    try {
      const result = action(this.#on().panel);
      if (this.#news.length > 0 && this.hand() !== undefined) for (const news of this.#news) news();
      return result;
    } catch (cause) {
      if (!(cause instanceof PowerCut)) throw cause;
      this.powerOff();
      throw new WhorlError('TERMINAL_OFF', `terminal ${this.serial} lost power`, { cause });
    }
  }
}
