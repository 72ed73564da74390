import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import { RequestError, wrong } from '../values/given.ts';
import type { Scene } from './views.ts';

/** What routes work with. */
export interface Tools extends Scene {
  readonly clock: Clock;
}

const nothing = z.strictObject({});
type Nothing = typeof nothing;

interface RouteSpec<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** `/terminals/:name` */
  readonly path: string;
  /** Area and deed, `terminals.tap`: its operationId. */
  readonly name: string;
  readonly doc: string;
  readonly params?: Params;
  readonly query?: Query;
  /** As the document shows it; whoever handles it checks it when it says so itself. */
  readonly body?: Body;
  readonly answer: Answer;
  readonly handle: (
    asked: { readonly params: z.output<Params>; readonly query: z.output<Query>; readonly body: unknown },
    tools: Tools,
  ) => unknown;
}

/** One thing that can be asked over HTTP, as data. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly name: string;
  readonly doc: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType;
  readonly answer: z.ZodType;
  /** @throws RequestError for what does not fit; what is done throws */
  readonly handle: (
    asked: { readonly params: unknown; readonly query: unknown; readonly body: unknown },
    tools: Tools,
  ) => unknown;
}

/** A row of the table of routes, with what its handler gets inferred from its schemas. */
export function route<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = Nothing,
>(spec: RouteSpec<Params, Query, Body, Answer>): Route {
  const { method, path, name, doc, answer, handle } = spec;
  const given = { params: spec.params ?? nothing, query: spec.query ?? nothing, body: spec.body ?? nothing };
  return {
    ...{ method, path, name, doc, answer, ...given },
    handle: ({ params, query, body }, tools) =>
      handle(
        {
          // What is left out is `nothing`, and so is its type parameter; the compiler cannot tie the two together.
          params: checked(given.params, params) as z.output<Params>,
          query: checked(given.query, query) as z.output<Query>,
          body: body ?? {},
        },
        tools,
      ),
  };
}

/** @throws RequestError */
export function checked<Schema extends z.ZodObject>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw wrong(parsed.error.issues, Object.keys(schema.shape));
}

/** How every error is told. */
export const errorView = z.object({
  code: z.string().describe('To search for.'),
  message: z.string(),
  place: z.string().describe('The member of the request that is wrong; empty when it is none of them.'),
  remedy: z.string().describe('What to do about it.'),
});

/** An error that names no place by itself. */
export function placeOf(error: unknown): string {
  return error instanceof RequestError ? error.place : '';
}
