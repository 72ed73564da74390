import { WhorlError } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import type { FastifyRequest } from 'fastify';
import type { Access, Caller } from '../access/access.ts';
import { Limits } from '../access/limits.ts';
import { mayDo } from '../settings/roles.ts';
import type { Role } from '../settings/roles.ts';
import { LOCAL_PLACE } from './place.ts';

/**
 * Where a request comes in. `local`: the socket that only the owner of the data directory can open, who could read and
 * change all of it without asking, and so is its admin. `network`: whoever can reach the port, loopback included.
 */
export type Door = 'local' | 'network';

/** What is guarded. */
interface Guarded {
  readonly name: string;
  /** Least that somebody must be. */
  readonly role: Role | 'anyone';
}

/** Requests from one address, at once and a second. */
const REQUESTS = [1000, 200] as const;
/** Passwords and codes from one address. */
const GUESSES = [10, 0.2] as const;
/** Passwords for one account, from all addresses together that nobody logged in from. */
const GUESSES_OF_NAME = [20, 0.1] as const;
/** What somebody may not do, written down. */
const REFUSALS = [20, 0.2] as const;

const MACHINE: Caller = { name: 'machine', role: 'admin' };
const NOBODY: Caller = { name: 'nobody', role: undefined };

/** Who may come in, and how often. */
export class Guard {
  readonly #door: Door;
  readonly #access: Access;
  readonly #requests: Limits;
  readonly #refusals: Limits;
  readonly #guesses: Limits;
  readonly #guessesOfName: Limits;

  constructor(door: Door, access: Access, clock: Clock) {
    this.#door = door;
    this.#access = access;
    this.#requests = new Limits(clock, ...REQUESTS);
    this.#refusals = new Limits(clock, ...REFUSALS);
    this.#guesses = new Limits(clock, ...GUESSES);
    this.#guessesOfName = new Limits(clock, ...GUESSES_OF_NAME);
  }

  /**
   * Who asks, before anything of the request but its head is read.
   * @throws WhorlError REQUEST_RATE, AUTH_NEEDED, AUTH_EXPIRED
   */
  async callerOf(request: FastifyRequest, route: Guarded): Promise<Caller> {
    if (this.#door === 'local') return MACHINE;
    const address = request.ip;
    if (!this.#requests.take(address))
      throw new WhorlError('REQUEST_RATE', `too many requests from ${address}`);
    if (route.role === 'anyone') return NOBODY;
    const token = /^Bearer +([\w-]{1,128})$/i.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw new WhorlError('AUTH_NEEDED', `${route.name} needs a token`);
    return this.#access.callerOf(token);
  }

  /** @throws WhorlError AUTH_ROLE */
  check(caller: Caller, route: Guarded): void {
    if (route.role === 'anyone' || (caller.role !== undefined && mayDo(caller.role, route.role))) return;
    throw new WhorlError(
      'AUTH_ROLE',
      `${route.name} is for role ${route.role}, ${caller.name} has ${caller.role ?? 'none'}`,
    );
  }

  /** Whether the audit trail tells that somebody was refused: not each time that they try without end. */
  mayComplain(caller: Caller): boolean {
    return this.#refusals.take(caller.name);
  }

  /**
   * Before a password or a code is looked at. Strangers share what may be tried for one account; who has logged in from
   * this address before does not have to wait for them, nor does the machine itself: nobody can be locked out.
   * @throws WhorlError REQUEST_RATE
   */
  async guess(request: FastifyRequest, name: string): Promise<void> {
    if (this.#door === 'local') return;
    if (!this.#guesses.take(request.ip))
      throw new WhorlError('REQUEST_RATE', `too many wrong logins from ${request.ip}`);
    if (!(await this.#access.knows(name, request.ip)) && !this.#guessesOfName.take(name))
      throw new WhorlError('REQUEST_RATE', 'too many wrong logins for this account');
  }
}

/** Where a request comes from, for the audit trail. */
export function placeOf(door: Door, request: FastifyRequest): string {
  return door === 'local' ? LOCAL_PLACE : request.ip;
}
