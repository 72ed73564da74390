import type { Clock } from '@whorl/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Access, Caller } from '../access/access.ts';
import type { Audit } from '../access/audit.ts';
import type { Role } from '../settings/roles.ts';
import type { EventHub } from '../events/hub.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Store } from '../store/store.ts';
import type { SitesFace } from '../sites/face.ts';
import type { Operations } from '../sync/operations.ts';
import type { TaskOperations } from '../tasks/operations.ts';
import { checked } from './errors.ts';
import type { ApiPlace } from './place.ts';
import type { Guard } from './guard.ts';

/** What routes work with. */
export interface Tools {
  readonly operations: Operations;
  readonly tasks: TaskOperations;
  readonly sites: SitesFace;
  readonly store: Store;
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly access: Access;
  /** Where the API can be reached by address; `undefined` when it cannot. */
  readonly api: () => ApiPlace | undefined;
  /** Of one of several processes that has not the house: which one has it. */
  readonly elsewhere?: (() => string) | undefined;
  readonly guard: Guard;
  readonly audit: Audit;
  readonly metrics: Metrics;
  readonly jobs: Jobs;
  /** Told of errors that are none of the caller's. */
  readonly onFailure: (error: unknown) => void;
}

/** An answer that is no JSON: the route writes it by itself. */
export class OwnAnswer {
  readonly write: (reply: FastifyReply) => void;

  constructor(write: (reply: FastifyReply) => void) {
    this.write = write;
  }
}

/** What was asked, checked by the route's schemas. */
export interface Asked<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType> {
  readonly params: z.output<Params>;
  readonly query: z.output<Query>;
  readonly body: z.output<Body>;
  readonly request: FastifyRequest;
  readonly caller: Caller;
  /** Where the caller is. */
  readonly place: string;
}

/** A request whose caller is known. */
export type Known = Pick<Asked<z.ZodType, z.ZodType, z.ZodType>, 'request' | 'caller' | 'place'>;

const nothing = z.strictObject({});
type Nothing = typeof nothing;

interface RouteSpec<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Answer extends z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `/users/:id` */
  readonly path: string;
  /** Area and deed, `users.edit`: its operationId. */
  readonly name: string;
  /** Least that somebody must be. */
  readonly role: Role | 'anyone';
  readonly doc: string;
  /** Of the path; none by default. */
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** What messages call the body; `body` by default. */
  readonly bodyIs?: string;
  readonly answer: Answer;
  /** What it is answered as; JSON by default. */
  readonly media?: readonly string[];
  /** When all went well; 200 by default. */
  readonly status?: number;
  /** Largest body; a mebibyte by default. */
  readonly mostBytes?: number;
  /**
   * Whether the audit trail tells of it: `deed`, with what came of it, which is so for all that is no GET and no dry run; `look` for
   * what is only read; `no`.
   */
  readonly audited?: 'deed' | 'look' | 'no';
  /** What it is done to, for the audit trail; by default the area and what the path names: `user 1042`. */
  readonly target?: (asked: Asked<Params, Query, Body>, tools: Tools) => string | Promise<string>;
  /** More for the audit trail, never what is secret; by default the names of the body's members. */
  readonly detail?: (asked: Asked<Params, Query, Body>) => object | undefined;
  readonly handle: (
    asked: Asked<Params, Query, Body>,
    tools: Tools,
  ) => Promise<z.input<Answer> | OwnAnswer> | z.input<Answer> | OwnAnswer;
}

/** One thing that can be asked over HTTP, as data. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly name: string;
  readonly role: Role | 'anyone';
  readonly doc: string;
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: z.ZodType;
  readonly answer: z.ZodType;
  readonly media: readonly string[];
  readonly status: number;
  readonly mostBytes: number;
  /** Checks a request; nothing happens yet. @throws RequestError */
  readonly prepare: (known: Known, tools: Tools) => Prepared;
}

/** A request that was checked. */
export interface Prepared {
  readonly audited: 'deed' | 'look' | 'no';
  readonly target: () => Promise<string>;
  readonly detail: object | undefined;
  /** Does it. @throws what the operation throws */
  readonly run: () => Promise<unknown>;
}

/** A row of the table of routes, with what its handler gets inferred from its schemas. */
export function route<
  Answer extends z.ZodType,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType = Nothing,
>(spec: RouteSpec<Params, Query, Body, Answer>): Route {
  const { method, path, name, role, doc, answer, handle } = spec;
  const given = {
    params: spec.params ?? nothing,
    query: spec.query ?? nothing,
    body: spec.body ?? nothing,
  };
  return {
    ...{ method, path, name, role, doc, answer, ...given },
    media: spec.media ?? ['application/json'],
    status: spec.status ?? 200,
    mostBytes: spec.mostBytes ?? 1 << 20,
    prepare(known, tools) {
      // What is left out is `nothing`, and so is its type parameter; the compiler cannot tie the two together.
      const asked = {
        params: checked(given.params, known.request.params, 'path') as z.output<Params>,
        query: checked(given.query, known.request.query, 'query') as z.output<Query>,
        body: checked(given.body, known.request.body ?? {}, spec.bodyIs ?? 'body') as z.output<Body>,
        ...known,
      };
      const usual = method === 'GET' || isDry(asked.query) || isDry(asked.body) ? 'no' : 'deed';
      return {
        audited: spec.audited ?? usual,
        target: async () => spec.target?.(asked, tools) ?? targetOf(name, asked.params),
        detail: spec.detail === undefined ? membersOf(asked.body) : spec.detail(asked),
        run: async () => handle(asked, tools),
      };
    },
  };
}

/** Whether it is only asked what would be done. */
function isDry(part: unknown): boolean {
  return typeof part === 'object' && part !== null && 'dryRun' in part && part.dryRun === true;
}

/** `users.edit` of 1042: `user 1042`. */
function targetOf(name: string, params: object): string {
  const area = name.split('.')[0] ?? name;
  const named = Object.values(params).map(String);
  return [named.length === 0 ? area : area.replace(/s$/, ''), ...named].join(' ');
}

/** Names only: what stands in a body may be secret. */
function membersOf(body: unknown): object | undefined {
  const members = typeof body === 'object' && body !== null ? Object.keys(body) : [];
  return members.length === 0 ? undefined : { members };
}
