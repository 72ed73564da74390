import { systemClock } from '@whorl/protocol';
import { serveControl } from '../control/server.ts';
import type { Served } from '../control/server.ts';
import { startFleet } from '../fleet/fleet.ts';
import type { Fleet } from '../fleet/fleet.ts';
import { fleetSchema } from '../fleet/schema.ts';
import { Asker, PAIRING_KEY } from './bench.ts';
import { greetPortable } from './portable.ts';
import { FLEET_OF_ALL } from './requests.ts';

/** For tests: the fleet at which everything can be done, its portable terminal greeted by a gateway, and its control. */
export async function serveFleetOfAll(): Promise<{ fleet: Fleet; served: Served; end: () => Promise<void> }> {
  const fleet = await startFleet(fleetSchema.parse(FLEET_OF_ALL), systemClock);
  const { terminal } = fleet.terminal('north');
  terminal.setKey(PAIRING_KEY);
  const asker = new Asker(terminal);
  asker.hello();
  greetPortable(asker);
  const served = await serveControl(fleet, 0);
  return {
    ...{ fleet, served },
    async end() {
      await served.app.close();
      await fleet.stop();
    },
  };
}
