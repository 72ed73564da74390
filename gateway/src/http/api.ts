import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { WhorlError } from '@whorl/protocol';
import { errorView, statusOf } from './errors.ts';
import { OwnAnswer } from './route.ts';
import type { Tools } from './route.ts';
import { ROUTES } from './routes.ts';

export type ApiParts = Tools;

/** The gateway's API: what {@link ROUTES} lists; translates to operations and the store's questions, decides nothing. */
export function buildApi(parts: ApiParts): FastifyInstance {
  const app = fastify({ forceCloseConnections: true });
  app.setErrorHandler((error: unknown, _request, reply) => {
    const known = ofCaller(error) ? new WhorlError('REQUEST_INVALID', error.message) : error;
    if (statusOf(known) === 500) parts.onFailure(error);
    void reply.status(statusOf(known)).send(errorView(known));
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .status(404)
      .send(errorView(new WhorlError('REQUEST_UNKNOWN', `${request.method} ${request.url}`)));
  });
  for (const route of ROUTES) {
    app.route({
      method: route.method,
      url: route.path,
      bodyLimit: route.mostBytes,
      handler: async (request, reply) => {
        const answer = await route.run(request, parts);
        if (!(answer instanceof OwnAnswer)) return reply.status(route.status).send(answer);
        answer.write(reply);
        return reply;
      },
    });
  }
  return app;
}

/** What the server itself finds wrong with a request. */
function ofCaller(error: unknown): error is Error {
  return (
    error instanceof Error &&
    !(error instanceof WhorlError) &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  );
}
