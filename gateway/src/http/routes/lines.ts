import { z } from 'zod';
import { OwnAnswer, route } from '../route.ts';
import { text } from '../schemas.ts';
import { wantsSse } from '../stream.ts';
import { tellTraffic } from '../traffic.ts';

/** Lines: what crosses them. */
export const lineRoutes = [
  route({
    method: 'GET',
    path: '/lines/:name/traffic',
    name: 'lines.traffic',
    role: 'installer',
    doc: 'What crosses a line, as it does and as it is: sealed. A JSON object a line, without end.',
    params: z.object({ name: text }),
    audited: 'look',
    media: ['application/x-ndjson', 'text/event-stream'],
    answer: z.array(
      z.strictObject({
        timeUs: z.int().describe('Microseconds since 1970 UTC.'),
        direction: z.enum(['to-terminal', 'to-gateway']),
        bytes: z.string().describe('Hex; up to and including delimiters.'),
        lost: z.int().optional().describe('So many before it were lost: the caller reads too slowly.'),
      }),
    ),
    handle: ({ params, request }, { operations, clock, onFailure }) => {
      const tap = operations.tap(params.name);
      return new OwnAnswer((reply) =>
        tellTraffic({ reply, clock, sse: wantsSse(request), listen: tap, onFailure }),
      );
    },
  }),
];
