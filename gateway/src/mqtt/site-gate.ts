import type { Clock } from '@whorl/protocol';
import type { Client, PublishPacket } from 'aedes';
import { BoundedStream } from './bounded-stream.ts';
import { samePassword } from './password.ts';
import type { Knocker } from '../sites/seat.ts';
import { claimedBy, siteClients, siteTopic } from '../sites/broker-names.ts';

/** What the embedded broker has to know of satellites. */
export interface BrokerSites {
  /** Name of the master. */
  readonly master: string;
  /** Who logs in with this user name; `undefined` for nobody of the list. */
  readonly of: (user: string) => { readonly syncId: number; readonly password: string } | undefined;
  /** Told of a client that was not let in, with the user name that it gave and the address that it came from. */
  readonly refused: (
    syncId: number,
    code: 'SITES_PASSWORD' | 'SITES_UNKNOWN' | 'SITES_RATE' | 'SITES_CLASH',
    who: Knocker,
  ) => void;
}

/** What a site may do at the broker. */
interface SiteTopics {
  readonly publishes: (packet: Pick<PublishPacket, 'topic' | 'retain'>) => boolean;
  readonly reads: (filter: string) => boolean;
}

const NOTHING: SiteTopics = { publishes: () => false, reads: () => false };

/** Wrong passwords of one site: so many at once, then one in so many milliseconds. */
const MOST_FAILURES = 10;
const FAILURE_MS = 20_000;
/** Of one site: its machine’s, one that is taken for living still, and one that should not be there. */
const MOST_CONNECTIONS = 4;

/** Lets satellites in at the embedded broker, each to its own topics and no others. */
export class SiteGate {
  readonly #sites: BrokerSites | undefined;
  readonly #clock: Clock;
  /** User name and password that each was let in with. */
  readonly #clients = new WeakMap<Client, { readonly user: string; readonly password: string }>();
  /** Connections of each site. */
  readonly #there = new Map<number, number>();
  readonly #failures = new Map<number, { count: number; last: number }>();

  constructor(sites: BrokerSites | undefined, clock: Clock) {
    this.#sites = sites;
    this.#clock = clock;
  }

  /** Whether a client is a satellite that may come in; `undefined` for one that does not say that it is one. */
  admits(client: Client, user: string | undefined, password: Uint8Array): boolean | undefined {
    const claimed = claimedBy(client.id);
    const site = user === undefined ? undefined : this.#sites?.of(user);
    const who = knocker(client, user);
    if (user === undefined || site === undefined) {
      if (claimed !== undefined) this.#sites?.refused(claimed, 'SITES_UNKNOWN', who);
      return claimed === undefined ? undefined : false;
    }
    if (claimed !== site.syncId) {
      if (claimed !== undefined) this.#sites?.refused(claimed, 'SITES_UNKNOWN', who);
      return false;
    }
    if (!this.#mayTry(claimed)) {
      this.#sites?.refused(claimed, 'SITES_RATE', who);
      return false;
    }
    if (!samePassword(password, site.password)) {
      const count = (this.#failures.get(claimed)?.count ?? 0) + 1;
      this.#failures.set(claimed, { count, last: this.#clock.now() });
      this.#sites?.refused(claimed, 'SITES_PASSWORD', who);
      return false;
    }
    this.#failures.delete(claimed);
    if (!client.id.startsWith(siteClients(claimed, site.password))) return false;
    if (!this.#hasPlace(claimed, client)) {
      this.#sites?.refused(claimed, 'SITES_CLASH', who);
      return false;
    }
    this.#clients.set(client, { user, password: site.password });
    return true;
  }

  /** Who is there stays: whoever comes with the same credentials does not put them out. */
  #hasPlace(syncId: number, { conn }: Client): boolean {
    const there = this.#there.get(syncId) ?? 0;
    if (there >= MOST_CONNECTIONS) return false;
    this.#there.set(syncId, there + 1);
    conn.once('close', () => this.#there.set(syncId, (this.#there.get(syncId) ?? 1) - 1));
    return true;
  }

  #mayTry(syncId: number): boolean {
    const { count = 0, last = 0 } = this.#failures.get(syncId) ?? {};
    return count < MOST_FAILURES || this.#clock.now() - last >= FAILURE_MS;
  }

  /** `undefined` for a client that is no satellite; nothing for one that is in the list no more, or with another password. */
  topics(client: Client): SiteTopics | undefined {
    const login = this.#clients.get(client);
    if (login === undefined || this.#sites === undefined) return undefined;
    const { master } = this.#sites;
    const site = this.#sites.of(login.user);
    if (site?.password !== login.password) return NOTHING;
    return {
      publishes: ({ topic, retain }) =>
        (topic === siteTopic(master, site.syncId, 'up') && !retain) ||
        topic === siteTopic(master, site.syncId, 'state'),
      reads: (filter) => filter === siteTopic(master, site.syncId, 'down'),
    };
  }
}

function knocker({ conn }: Client, user: string | undefined): Knocker {
  const from = conn instanceof BoundedStream ? conn.from : undefined;
  return { ...(user === undefined ? {} : { user }), ...(from === undefined ? {} : { from }) };
}
