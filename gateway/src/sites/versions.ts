import { WhorlError } from '@whorl/protocol';
import { z } from 'zod';

// Gateways of different releases: both ends say at each login and each exchange which exchange they speak.

const said = z.looseObject({ protocol: z.int().optional() });
const opening = z.looseObject({ request: z.looseObject({ ...said.shape, ask: z.literal('open') }) });

/**
 * Looks whether a satellite begins an exchange that the master speaks, before anything else of it is understood.
 * @param own that the master speaks
 * @throws WhorlError SITES_VERSION
 */
export function checkOpening(own: number, body: unknown): void {
  const { data } = opening.safeParse(body);
  if (data !== undefined) check(data.request.protocol, own);
}

/** The same of what the master answers. @param own that the satellite speaks. @throws WhorlError SITES_VERSION */
export function checkOpened(own: number, answer: unknown): void {
  check(own, said.safeParse(answer).data?.protocol);
}

function check(satellite: number | undefined, master: number | undefined): void {
  if (satellite !== master) throw new WhorlError('SITES_VERSION', versionsText(satellite, master));
}

/** That they differ, and what to do. */
export function versionsText(satellite: number | undefined, master: number | undefined): string {
  const [one, other] = [satellite, master].map((version) => version ?? 'an unknown one');
  return `the satellite speaks version ${one} of the sync, the master ${other}: the older one has to be brought up to date, then it goes on by itself`;
}
