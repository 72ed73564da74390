import { Medium, MemoryFlash, MODELS, Terminal } from '@whorl/device-emulator';
import type { Model, TerminalOptions } from '@whorl/device-emulator';
import { machine, openStore, silentLog, startGateway } from '@whorl/gateway';
import type { Gateway, LineConfig, Store } from '@whorl/gateway';
import {
  captureHead,
  decodeUser,
  KeyRing,
  packetBlock,
  readCapture,
  recordOf,
  Runs,
  seededRandom,
  VirtualClock,
  wireMs,
  writeRecord,
} from '@whorl/protocol';
import type { LoggedKeys, UserRecord } from '@whorl/protocol';
import { keyFor, MemoryCable, pairAll } from '../rig/wiring.ts';
import { Fates } from './fates.ts';
import type { Deed, Recording, Seat } from './recording.ts';

/** The recorded gateway may still have been at work when the recording ended. */
const AFTER_MS = 5_000;
const STOPPING_MS = 60_000;
const SEED = 1;

/** What was said when it was done again, as a capture with its keys. */
export interface Played {
  readonly capture: Uint8Array;
  readonly keys: KeyRing;
}

interface Stage {
  readonly clock: VirtualClock;
  readonly terminals: ReadonlyMap<string, Terminal>;
  readonly gateway: Gateway;
}

/**
 * Plays the terminals' side of a recording to a gateway, in virtual time: terminals that were what those were, people
 * who do what was done when it was done, and a wire on which the same is lost, damaged and late.
 */
export async function play(recording: Recording): Promise<Played> {
  const clock = new VirtualClock(recording.began);
  const keys: LoggedKeys[] = [];
  const fates = new Fates(recording, clock, keys);
  const terminals = new Map<string, Terminal>();
  const media = new Map(
    recording.lines.map(({ name, baud }) => {
      const medium = new Medium({ clock, random: seededRandom(SEED), baud, turnaroundMs: 1 });
      for (const seat of recording.seats.filter(({ line }) => line === name)) {
        const { trouble, refuses } = fates.of(seat);
        const terminal = terminalOf(seat, { clock, keys, refuses });
        medium.add(terminal);
        medium.troubleAt(terminal, trouble);
        terminals.set(nameOf(seat), terminal);
      }
      return [name, medium] as const;
    }),
  );
  const blocks: Uint8Array[] = [captureHead(recording.lines)];
  const ends = recording.lines.map((line, index) => tapped(line, index, media, { clock, blocks }));
  const store = await storeFor(recording, terminals);
  const gateway = await gatewayFor(recording, { clock, store, media });
  for (const deed of recording.deeds)
    clock.after(deed.atMs, () => {
      done(deed, { clock, terminals, gateway });
    });
  await clock.run({ forMs: recording.lastsMs + AFTER_MS });
  for (const end of ends) end();
  await stopped(clock, gateway, store);
  return { capture: Buffer.concat(blocks), keys: new KeyRing(keys) };
}

/** What a terminal is called at the stage. */
export function nameOf({ line, address }: { readonly line: string; readonly address: number }): string {
  return `${line}-${address}`;
}

/** A terminal that was what the recorded one was. @param model what it does otherwise by its firmware */
export function terminalOf(
  seat: Seat,
  {
    clock,
    keys,
    refuses,
    model = MODELS['finger-10k'],
  }: Pick<TerminalOptions, 'refuses'> & { clock: VirtualClock; keys: LoggedKeys[]; model?: Model },
): Terminal {
  const terminal = new Terminal({
    ...{ serial: seat.serial, address: seat.address, clock, refuses, flash: new MemoryFlash() },
    random: seededRandom(SEED + seat.address),
    model: { ...model, firmware: seat.firmware, capabilities: seat.capabilities, bootMs: 0 },
    tellKeys: (told) => keys.push({ ...told, line: seat.line }),
  });
  const { epoch, boots, clock: itsClock, log } = seat;
  terminal.restore({ epoch, boots, clock: itsClock, log, users: seat.users.map(recordIn) });
  terminal.setKey(keyFor(seat.serial));
  return terminal;
}

function recordIn({ id, fields }: Seat['users'][number]): UserRecord {
  return recordOf(
    id,
    Object.entries(fields).map(([field, bytes]) => [Number(field), Buffer.from(bytes, 'hex')]),
  );
}

/** Records a line of the stage. @returns what ends it */
export function tapped(
  { name, baud }: Recording['lines'][number],
  index: number,
  media: ReadonlyMap<string, Medium>,
  { clock, blocks }: { clock: VirtualClock; blocks: Uint8Array[] },
): () => void {
  const startMs = clock.wallTime() - clock.now();
  const runs = new Runs(baud === undefined ? 0 : 1000 * wireMs(1, baud), (run) => {
    blocks.push(packetBlock(index, run));
  });
  media.get(name)?.tap((bytes, fromGateway, { noise, endMs }) => {
    const direction = fromGateway ? 'to-terminal' : noise ? undefined : 'to-gateway';
    runs.push(bytes, 1000 * (startMs + endMs), direction);
  });
  return () => {
    runs.end();
  };
}

/** A gateway's store that has read the terminals' logs as far as the recorded one had. */
async function storeFor(recording: Recording, terminals: ReadonlyMap<string, Terminal>): Promise<Store> {
  const random = seededRandom(SEED);
  const store = openStore({ data: { memory: true }, ground: machine }, (length) => random.bytes(length));
  await pairAll(store, terminals);
  for (const seat of recording.seats)
    if (seat.position !== undefined && seat.position > 0)
      await store.saveTerminal(
        { name: nameOf(seat), serial: seat.serial, position: { epoch: seat.epoch, id: seat.position } },
        [],
      );
  return store;
}

function gatewayFor(
  recording: Recording,
  { clock, store, media }: { clock: VirtualClock; store: Store; media: ReadonlyMap<string, Medium> },
): Promise<Gateway> {
  const cables = new Map([...media].map(([name, medium]) => [name, new MemoryCable(medium)]));
  const lines = recording.lines.map(({ name, baud }): LineConfig => {
    const seats = recording.seats.filter(({ line }) => line === name);
    return {
      name,
      over: { kind: 'serial', path: 'replay', baud: baud ?? FAST_BAUD, turnaroundMs: 1, latencyMs: 2 },
      terminals: seats.map((seat) => ({ name: nameOf(seat), address: seat.address, groups: [] })),
    };
  });
  return startGateway({
    config: { name: 'replay', lines, modbus: undefined },
    version: '0.0.0',
    ...{ store, clock, random: seededRandom(SEED), log: silentLog },
    open: (line) => cables.get(line.name)?.open,
  });
}

/** What the gateway reckons with where bytes take no time. */
const FAST_BAUD = 921_600;

function done(deed: Deed, { clock, terminals, gateway }: Stage): void {
  if (deed.address === 0) {
    for (const user of deed.put?.map(recordIn) ?? []) {
      const { id, ...set } = decodeUser(writeRecord(user));
      // Who is there already is not added: the comparison tells.
      gateway.operations.addUser(id, { set, clear: [] }).catch(() => undefined);
    }
    for (const user of deed.dropped ?? []) gateway.operations.deleteUser(user).catch(() => undefined);
    return;
  }
  doneThere(deed, { clock, terminals });
}

/** What was done at a terminal is done again. */
export function doneThere(deed: Deed, { clock, terminals }: Pick<Stage, 'clock' | 'terminals'>): void {
  const terminal = terminals.get(nameOf(deed));
  if (terminal?.power !== 'on') return;
  if (deed.goneMs !== undefined) {
    terminal.powerOff();
    clock.after(deed.goneMs, () => {
      terminal.powerOn();
    });
  } else
    terminal.relive({ put: deed.put?.map(recordIn) ?? [], dropped: deed.dropped, records: deed.records });
}

async function stopped(clock: VirtualClock, gateway: Gateway, store: Store): Promise<void> {
  let over = false;
  const stopping = gateway.stop().finally(() => {
    over = true;
  });
  await clock.run({ forMs: STOPPING_MS, done: () => over });
  await stopping;
  await store.close();
}

/** Reads what was played. */
export function packetsOf({ capture }: Played): ReturnType<typeof readCapture> {
  return readCapture(capture);
}
