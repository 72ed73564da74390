import type { Terminal } from '@whorl/device-emulator';
import type { Hands, Site } from './site.ts';
import type { RigPlan } from './rig.ts';
import { known } from './wiring.ts';

/** What people and relays do, done at a terminal of this process. */
export function handsAt(terminal: Terminal): Hands {
  return {
    async enrol(user, finger) {
      terminal.enrol({ user, finger });
    },
    async giveUp(user) {
      terminal.enrolFailed(user);
    },
    async remove(user) {
      terminal.remove(user);
    },
    async powerOff() {
      terminal.powerOff();
    },
    async powerOn() {
      terminal.powerOn();
    },
    async factoryReset() {
      terminal.factoryReset();
    },
    pairingCode: async () => terminal.pair(),
  };
}

/** What every emulated rig gives of a {@link Site}: all that can be done. */
export function everyAbility(
  plan: RigPlan,
  terminals: ReadonlyMap<string, Terminal>,
): Pick<Site, 'names' | 'able' | 'hands' | 'lineOf' | 'someone'> {
  const names = [...terminals.keys()];
  const lines = new Map(
    Object.entries(plan.lines).flatMap(([line, members]) => members.map(({ name }) => [name, line] as const)),
  );
  let given = 0;
  return {
    names,
    able: () => names,
    hands: (name) => handsAt(known(terminals, name)),
    lineOf: (name) => known(lines, name),
    someone: () => (given += 1),
  };
}
