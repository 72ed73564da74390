import type { Command } from 'commander';
import { EVENT_KINDS } from '../../events/event.ts';
import type { FleetEvent } from '../../events/event.ts';
import { reader } from '../../values/given.ts';
import { Emulator } from '../emulator.ts';
import { showEvent } from '../show-event.ts';
import { eventsQuery } from '../stream.ts';
import { controlCommand, guarded, print } from './shell.ts';
import type { Shared, Shell } from './shell.ts';

interface EventsOptions extends Shared {
  readonly line?: string;
  readonly terminal?: string;
  readonly kind?: string;
  readonly after?: string;
  readonly count?: string;
}

const { line, terminal, kind, after, count } = eventsQuery.shape;
const read = reader({ line, terminal, kind, after, count });

/** Adds the command that follows what happens. */
export function addFollowing(program: Command, shell: Shell): void {
  controlCommand(program, 'events', 'follow what happens, event by event; ends with Ctrl-C')
    .option('--line <name>', 'only of this line')
    .option('--terminal <name>', 'only of this terminal')
    .option('--kind <kind,…>', `only of these kinds: ${EVENT_KINDS.join(', ')}`)
    .option('--after <id>', 'what came after this event, too; 0 for all that is kept')
    .option('--count <n>', 'end after so many')
    .addHelpText(
      'after',
      `
With --json each event is a line of JSON, as HTTP has it.

Examples:
  whorl-emulator events
  whorl-emulator events --terminal terminal-3 --kind display,identified,denied
  whorl-emulator events --line floor --kind frame --count 100 --json > frames
  whorl-emulator events --kind log --after 0 --json | grep '"origin":"gateway"'`,
    )
    .action((options: EventsOptions) => guarded(shell, options, () => follow(shell, options)));
}

/** Follows until so many have come, or the emulator ends; comes back when it was cut off for reading too slowly. */
async function follow(shell: Shell, options: EventsOptions): Promise<void> {
  const { json, controlPort, ...given } = options;
  const { kind: kinds, after: from, count: most, ...place } = read(given);
  const emulator = new Emulator(controlPort);
  const signal = new AbortController().signal;
  const tell = (event: FleetEvent): void => {
    print(shell, { json: json === true }, event, showEvent(event));
  };
  let at = from;
  let left = most ?? Number.POSITIVE_INFINITY;
  while (left > 0) {
    for await (const event of emulator.events({ ...place, kinds, after: at }, signal)) {
      at = event.id;
      tell(event);
      if (event.kind !== 'missed') left -= 1;
      if (left === 0) return;
    }
  }
}
