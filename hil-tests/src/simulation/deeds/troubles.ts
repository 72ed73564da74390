import { codeOf } from '@whorl/protocol';
import { z } from 'zod';
import type { Played } from '../run.ts';
import { deed } from './deed.ts';

// What goes wrong, and what time does.

const at = z.string();
const line = z.string();
const ms = z.number();

/** A terminal takes nobody new, or nothing new of them. */
export const REFUSING: ReadonlySet<string> = new Set([
  'memory-full',
  'slots-full',
  'wrong-format',
  'flash-fails',
]);

/** A fault of the emulator's catalogue. */
export const wishSchema = z.strictObject({
  on: z.string(),
  fault: z.string(),
  given: z.record(z.string(), z.number()),
  forMs: z.number().exactOptional(),
});
export type Wish = z.infer<typeof wishSchema>;

/** Whoever looks after the gateway's machine sees to it then. */
export const pass = deed('pass', { ms }, async (played, given) => {
  await played.rig.pass(given.ms);
  await seeToMachine(played);
  return `${given.ms} ms pass`;
});

export const cable = deed('cable', { line, pulled: z.boolean() }, async ({ rig, belief }, one) => {
  belief.faults += 1;
  await (one.pulled ? rig.unplug(one.line) : rig.plug(one.line));
  return `${one.line}: the cable is ${one.pulled ? 'pulled' : 'plugged in'}`;
});

export const reboot = deed('reboot', { at }, ({ rig, belief }, one) => {
  rig.terminal(one.at).reboot();
  belief.faults += 1;
  return `${one.at}: restarts`;
});

export const restart = deed('restart', {}, async ({ rig, machine, belief }) => {
  // Without a disk it does not start, as it must not.
  if (machine?.disk.refuses !== undefined) return undefined;
  belief.faults += 1;
  try {
    await rig.restartGateway();
  } catch (error) {
    if (machine?.disk.lost !== true) throw error;
  }
  return 'gateway: restarts';
});

export const noise = deed('noise', { line, ms }, ({ rig, belief }, one) => {
  belief.faults += 1;
  rig.media.get(one.line)?.noise(one.ms);
  return `${one.line}: ${one.ms} ms of noise`;
});

/** At once. */
export const fault = deed('fault', { wish: wishSchema }, async (played, { wish }) => {
  return (await begun(played, wish)) ? toldOf(wish) : undefined;
});

/** Within whatever is said on the line next. @param transmissions until then */
export const strike = deed(
  'strike',
  { wish: wishSchema, transmissions: z.int() },
  (played, { wish, transmissions }) => {
    const { rig, strikes } = played;
    const on = rig.media.has(wish.on) ? wish.on : rig.lineOf(wish.on);
    let left = transmissions;
    const forget = rig.media.get(on)?.tap(() => {
      if ((left -= 1) > 0) return;
      forget?.();
      rig.clock.after(0, () => void begun(played, wish));
    });
    if (forget === undefined) return undefined;
    strikes.add(forget);
    return `${toldOf(wish)}, ${transmissions} transmissions later`;
  },
);

/** The moment that something happened: amid what follows from it. */
export const ambush = deed(
  'ambush',
  { when: z.string(), wish: wishSchema, afterMs: ms },
  (played, { when, wish, afterMs }) => {
    lieInWait(played, when, () => played.rig.clock.after(afterMs, () => void begun(played, wish)));
    return `${toldOf(wish)}, when ${when}, ${afterMs} ms later`;
  },
);

export const ambushPower = deed(
  'ambush-power',
  { when: z.string(), operations: z.int() },
  (played, { when, operations }) => {
    const { machine } = played;
    if (machine === undefined) return undefined;
    lieInWait(played, when, () => machine.disk.losePowerAfter(operations));
    return `gateway: power for ${operations} more operations on the disk, when ${when}`;
  },
);

function lieInWait({ rig, strikes }: Played, when: string, then: () => unknown): void {
  const forget = rig.gateway.hub.subscribe(({ type }) => {
    if (type !== when) return;
    forget();
    strikes.delete(forget);
    then();
  });
  strikes.add(forget);
}

/** Some operations on the disk later. */
export const losePower = deed('lose-power', { operations: z.int() }, ({ machine, belief }, one) => {
  if (machine === undefined) return undefined;
  belief.faults += 1;
  machine.disk.losePowerAfter(one.operations);
  return `gateway: power for ${one.operations} more operations on the disk`;
});

/** The gateway's disk takes nothing more until somebody sees to it, or does again. */
export const disk = deed('disk', { says: z.enum(['ENOSPC', 'EIO']).exactOptional() }, (played, { says }) => {
  if (played.machine === undefined) return undefined;
  played.belief.faults += 1;
  played.machine.disk.refuses = says;
  return `gateway: the disk ${says === undefined ? 'works again' : `says ${says}`}`;
});

/** Somebody copies what a terminal keeps, as service people do. */
export const copy = deed('copy', { at }, ({ rig, belief, copies }, one) => {
  const [terminal, flash] = [rig.terminal(one.at), rig.flashes.get(one.at)];
  if (flash === undefined || terminal.power !== 'on') return undefined;
  const changes = terminal
    .logs()
    .filter(({ origin, kind }) => origin === 'terminal' && kind.startsWith('user.'));
  const users = [...terminal.users().keys()];
  const put = users.filter((user) => belief.put.has(`${one.at} ${user}`));
  copies.set(one.at, { flash: flash.read(), changes: changes.length, users, put });
  return `${one.at}: its flash is copied`;
});

/** What was done there since is gone, and what was undone since is there again. */
export const putBack = deed('put-back', { at }, ({ rig, belief, copies }, one) => {
  const [terminal, flash, kept] = [rig.terminal(one.at), rig.flashes.get(one.at), copies.get(one.at)];
  if (flash === undefined || kept === undefined) return undefined;
  terminal.powerOff();
  terminal.flash.cutAfter(Number.POSITIVE_INFINITY, () => undefined);
  flash.replace([kept.flash]);
  terminal.powerOn();
  belief.faults += 1;
  belief.wentBack(one.at, kept);
  return `${one.at}: the copy of its flash is put back`;
});

/** Until the ledger says that a terminal has all that it shall have, if that is soon. */
export const given = deed('given', { at, withinMs: ms }, async ({ rig }, one) => {
  for (let passed = 0; passed < one.withinMs; passed += 10) {
    await rig.pass(10);
    const rows = await rig.gateway.store.ledger({ terminal: one.at, limit: 1000 }).catch(() => []);
    if (rows.every(({ state }) => state === 'verified' || state === 'withheld')) break;
  }
  return `${one.at} is given what it shall have`;
});

/** Until a terminal has been compared, if that is soon. */
export const compared = deed('compared', { at, withinMs: ms }, async ({ rig }, { at: name, withinMs }) => {
  const seen = { it: false };
  const forget = rig.gateway.hub.subscribe(({ type, terminal }) => {
    seen.it ||= type === 'terminal.compared' && terminal === name;
  });
  for (let passed = 0; !seen.it && passed < withinMs; passed += 2) await rig.pass(2);
  forget();
  return seen.it ? `${name} is compared` : undefined;
});

/** Until something is on its way to a terminal, if that is soon. */
export const underway = deed('underway', { withinMs: ms }, async ({ rig }, { withinMs }) => {
  for (let passed = 0; passed < withinMs; passed += 2) {
    const [sending] = await rig.gateway.store.ledger({ state: 'sending', limit: 1 }).catch(() => []);
    if (sending !== undefined) return `${sending.terminal}: user ${sending.user} is on the way there`;
    await rig.pass(2);
  }
  return undefined;
});

export const brokerRestarts = deed(
  'broker-restarts',
  { forMs: ms, keeps: z.boolean() },
  ({ rig, north, belief }, { forMs, keeps }) => {
    if (north === undefined) return undefined;
    belief.faults += 1;
    north.broker.stop(keeps);
    rig.clock.after(forMs, () => north.broker.start());
    return `broker: restarts, for ${forMs} ms`;
  },
);

export const brokerCuts = deed('broker-cuts', { packets: z.int() }, ({ north, belief }, { packets }) => {
  if (north === undefined) return undefined;
  belief.faults += 1;
  north.broker.cutAfter(packets);
  return `broker: cuts the connection ${packets} packets later`;
});

const moods = z.strictObject({
  lateMs: ms.exactOptional(),
  twice: z.number().exactOptional(),
  refuses: z.boolean().exactOptional(),
  deaf: z.boolean().exactOptional(),
  mute: z.boolean().exactOptional(),
});

export const brokerFeels = deed('broker-feels', { mood: moods }, ({ north, belief }, { mood }) => {
  if (north === undefined) return undefined;
  belief.faults += 1;
  north.broker.mood = { ...north.broker.mood, ...mood };
  return `broker: ${JSON.stringify(mood)}`;
});

/** The power comes back where it went. */
export async function seeToMachine({ rig, machine, trace }: Played): Promise<void> {
  if (machine?.disk.lost !== true) return;
  trace.push('gateway: the power goes, and comes back');
  await rig.losePower();
}

function toldOf({ on, fault: name, given: options, forMs }: Wish): string {
  const told = Object.entries(options).map(([option, value]) => ` ${option} ${value}`);
  return `${on}: ${name}${told.join('')}${forMs === undefined ? '' : ` for ${forMs} ms`}`;
}

/** @returns whether it could be: nothing inside a terminal that is off goes wrong */
async function begun({ rig, belief }: Played, { on, ...wish }: Wish): Promise<boolean> {
  belief.faults += 1;
  if (REFUSING.has(wish.fault)) belief.refusing += 1;
  try {
    await rig.faults.begin(rig.target(on), wish);
    return true;
  } catch (error) {
    if (codeOf(error) === 'TERMINAL_OFF' || codeOf(error) === 'FLASH_FAILED') return false;
    throw error;
  }
}
