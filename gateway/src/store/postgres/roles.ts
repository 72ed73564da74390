import { hash } from 'node:crypto';
import type { Connection } from '../ground.ts';
import type { Membership, Roles } from '../members.ts';
import { number, text } from '../tables/rows.ts';

// Who of several processes does what is held by session locks of the server: with a process's connection they go.

/** $1 schema */
export const HOUSE = "SELECT pg_try_advisory_lock(hashtext('whorl'), hashtext($1)) AS held";
/** ? schema */
export const HOUSE_OF = "SELECT pg_try_advisory_lock(hashtext('whorl'), hashtext(?)) AS held";
/** $1 schema, $2 name of a process */
export const holdName = "SELECT pg_try_advisory_lock(hashtext('whorl member ' || $1), hashtext($2)) AS held";
const SITE = "hashtext('whorl site ' || ?), ?";

const APPLICATION = 'whorl';

/** What a connection is called at the server. */
export function memberName(member: string | undefined): string {
  return member === undefined ? APPLICATION : `${APPLICATION} ${member}`;
}

/** Where processes tell each other that something was written. */
export function channelOf(schema: string): string {
  return `whorl_${hash('sha256', schema, 'hex').slice(0, 32)}`;
}

/** What roles are held on. */
export interface RoleGround extends Pick<Connection, 'prepare'> {
  /** Counts connections: with each, all that was held by the one before is gone. */
  readonly generation: number;
  /** From now on a connection that has not the house is of no use. */
  keepHouse(): void;
}

/** The roles of one process. */
export class HeldRoles implements Roles {
  readonly #db: RoleGround;
  readonly #schema: string;
  readonly #name: string;
  /** The connection that holds it, by site. */
  readonly #sites = new Map<number, number>();
  #house = 0;

  constructor(db: RoleGround, schema: string, name: string) {
    this.#db = db;
    this.#schema = schema;
    this.#name = name;
  }

  /** Without asking the server: what a connection held is gone with it, and so is what was not committed on it. */
  holds(site: number): boolean {
    return this.#sites.get(site) === this.#db.generation;
  }

  takeHouse(): boolean {
    if (this.#house === this.#db.generation) return true;
    if (!this.#held(HOUSE_OF, this.#schema)) return false;
    this.#db.keepHouse();
    this.#house = this.#db.generation;
    return true;
  }

  takeSite(site: number): boolean {
    if (this.holds(site)) return true;
    if (!this.#held(`SELECT pg_try_advisory_lock(${SITE}) AS held`, this.#schema, site)) return false;
    this.#sites.set(site, this.#db.generation);
    return true;
  }

  leaveSite(site: number): void {
    if (this.holds(site)) this.#held(`SELECT pg_advisory_unlock(${SITE}) AS held`, this.#schema, site);
    this.#sites.delete(site);
  }

  opening<T>(work: () => T): T {
    const turn = "hashtext('whorl open'), hashtext(?)";
    this.#db.prepare(`SELECT pg_advisory_lock(${turn})`).get(this.#schema);
    try {
      return work();
    } finally {
      this.#db.prepare(`SELECT pg_advisory_unlock(${turn})`).get(this.#schema);
    }
  }

  membership(): Membership {
    const locks = this.#db
      .prepare(
        `SELECT a.application_name AS name, l.objid::bigint AS site, CASE l.classid::bigint
           WHEN hashtext('whorl')::bigint & 4294967295 THEN 'house'
           WHEN hashtext('whorl site ' || ?)::bigint & 4294967295 THEN 'site' ELSE 'member' END AS what
         FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE l.locktype = 'advisory' AND l.granted
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND (l.classid::bigint IN (hashtext('whorl site ' || ?1)::bigint & 4294967295,
                  hashtext('whorl member ' || ?1)::bigint & 4294967295)
             OR (l.classid::bigint = hashtext('whorl')::bigint & 4294967295
               AND l.objid::bigint = hashtext(?1)::bigint & 4294967295))`,
      )
      .all(this.#schema)
      .map((row) => ({
        what: text(row, 'what'),
        site: number(row, 'site'),
        name: text(row, 'name').slice(APPLICATION.length + 1),
      }));
    const house = locks.find(({ what }) => what === 'house')?.name;
    return {
      name: this.#name,
      connection: this.#db.generation,
      ...(house === undefined ? {} : { house }),
      members: [...new Set(locks.filter(({ what }) => what === 'member').map(({ name }) => name))].sort(),
      sites: new Map(locks.filter(({ what }) => what === 'site').map(({ site, name }) => [site, name])),
    };
  }

  #held(sql: string, ...values: (string | number)[]): boolean {
    return Boolean(this.#db.prepare(sql).get(...values)?.['held']);
  }
}
