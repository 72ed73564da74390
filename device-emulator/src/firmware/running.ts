import type { Capabilities } from '@whorl/protocol';
import { Link } from './link.ts';
import { tellChanges } from './noticed.ts';
import type { TellNoticed } from './noticed.ts';
import { Pairing } from './pairing.ts';
import { Panel } from './panel.ts';
import { Portable } from './portable/portable.ts';
import { Store } from './store.ts';
import type { TerminalOptions } from './terminal-options.ts';

/** What a terminal is made of from one start to the next. */
export interface Running {
  readonly store: Store;
  readonly link: Link;
  readonly panel: Panel;
  readonly portable: Portable | undefined;
  readonly pairing: Pairing;
  /** How long it has worked on what it was asked, milliseconds. */
  readonly workedMs: () => number;
}

/** What a clock shows that has forgotten what it was: the first moment of 2000. */
const FORGOTTEN_CLOCK = 946_684_800_000;

export interface StartOptions extends TerminalOptions {
  /** What it cannot do although it says so. */
  readonly lacks: Iterable<Partial<Capabilities>>;
  /** Whether there is supply voltage as it starts. */
  readonly supply: boolean;
  readonly tell: TellNoticed;
}

/** Reads the flash and starts all that works on it. @throws WhorlError FLASH_FAILED; PowerCut */
export function startUp(options: StartOptions): Running {
  const { flash, model, clock, random, supply, lacks, tell } = options;
  const { does } = model.capabilities;
  const store = new Store({ flash, model, clock, random, changed: (ops) => tellChanges(ops, tell) });
  if (model.quirks.has('clock-forgotten')) store.change([store.clockAt(FORGOTTEN_CLOCK)], []);
  store.change([{ name: 'booted', boots: store.state.boots + 1 }], [{ kind: 'terminal.started' }]);
  const pairing = new Pairing(options);
  const portable = does.portable ? new Portable({ store, clock, supply, tell }) : undefined;
  const link = new Link({ ...options, store, pairing, portable, lacks });
  const panel = new Panel({ ...options, store, portable });
  const workedMs = (): number => model.computeMs * link.handshakes + model.storeMs * store.stored;
  return { store, link, pairing, panel, portable, workedMs };
}
