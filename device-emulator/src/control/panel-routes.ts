import type { FastifyInstance } from 'fastify';
import { panelFiles } from './panel-files.ts';
import type { PanelFiles } from './panel-files.ts';

const A_YEAR_S = 31_536_000;

/** The front panel in the browser, at `/`: see {@link serveControl}. */
export function servePanel(app: FastifyInstance): void {
  let made: PanelFiles | undefined;
  const files = (): PanelFiles => (made ??= panelFiles());
  app.get('/', (_request, reply) => {
    const { page, policy } = files();
    return reply
      .headers({
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-cache',
      })
      .type('text/html; charset=utf-8')
      .send(page);
  });
  app.get<{ Params: { '*': string } }>('/panel/*', (request, reply) => {
    const found = files().file(request.params['*']);
    if (found === undefined) {
      reply.callNotFound();
      return reply;
    }
    return reply
      .headers({
        'x-content-type-options': 'nosniff',
        'cache-control': found.fixed ? `max-age=${A_YEAR_S}, immutable` : 'no-cache',
      })
      .type(found.type)
      .send(found.text);
  });
}
