import { z } from 'zod';

/** Where the API can be reached by address. */
export const apiPlaceSchema = z.strictObject({
  url: z.string(),
  fingerprint: z.string().optional().describe('SHA-256 of the certificate, to compare before it is trusted.'),
});
export type ApiPlace = z.infer<typeof apiPlaceSchema>;

/** What callers on the gateway's own machine are said to be at. */
export const LOCAL_PLACE = 'local socket';
