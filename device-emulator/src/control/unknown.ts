import type { FastifyReply, FastifyRequest } from 'fastify';
import { WhorlError } from '@whorl/protocol';
import { RequestError } from '../values/given.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** It takes whatever name is given; that is no word for it that there is something. */
    otherNames?: boolean;
  }
}

/** What can be asked: by which method, and where, as `/terminals/:name`. */
export interface Way {
  readonly method: string | readonly string[];
  readonly url: string;
}

/**
 * Refuses what is asked where nothing is, or by a method that what is there does not have.
 * @throws RequestError CONTROL_UNKNOWN; WhorlError CONTROL_METHOD
 */
export function refuseUnknown(
  { method, url }: FastifyRequest,
  reply: FastifyReply,
  ways: readonly Way[],
): never {
  const [path = ''] = url.split('?');
  const methods = [...new Set(ways.filter((way) => leads(way, path)).flatMap((way) => way.method))];
  // A page's file that there is not has been looked for.
  if (methods.length === 0 || methods.includes(method))
    throw new RequestError('', `nothing is at ${path}`, 'CONTROL_UNKNOWN');
  reply.header('allow', methods.join(', '));
  throw new WhorlError('CONTROL_METHOD', `${path} takes ${methods.join(', ')}, not ${method}`);
}

function leads({ url }: Way, path: string): boolean {
  const [parts, given] = [url.split('/'), path.split('/')];
  return (
    parts.length === given.length &&
    parts.every((part, i) => (part.startsWith(':') ? given[i] !== '' : part === given[i]))
  );
}
