import { compared } from './compare.ts';
import type { Compared } from './compare.ts';
import { exchangesOf } from './exchanges.ts';
import { readPackets } from './packets.ts';
import type { Recording } from './recording.ts';
import { packetsOf, play } from './stage.ts';

/** Plays the terminals' side of a recording to a gateway, and compares what both said with what is recorded. */
export async function replay(recording: Recording): Promise<Compared> {
  const played = await play(recording);
  const { said } = exchangesOf(readPackets(packetsOf(played), played.keys));
  const { same, deviations } = compared(recording, said);
  // What comes after the end was not recorded, whatever it was.
  const within = deviations.filter(
    ({ expected, atMs }) => expected !== undefined || atMs <= recording.lastsMs,
  );
  return { same, deviations: within };
}
