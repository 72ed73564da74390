import { createHmac } from 'node:crypto';

const SITES = 'whorl-sites';
const CLIENT = 'whorl-site-';
const SECRET_CHARACTERS = 16;

/** Topics of a satellite: `up` for what it says, `down` for what it is told, `state` for whether it is there. */
export function siteTopic(master: string, syncId: number | '+', what: 'up' | 'down' | 'state'): string {
  return `${SITES}/${master}/${syncId}/${what}`;
}

/** Whether the master is there. */
export function masterTopic(master: string): string {
  return `${SITES}/${master}/state`;
}

/**
 * A client id that only those know who know the password: a broker gives the place of a client to whoever comes with the
 * same id, and most brokers do not ask whose id it is (MQTT 3.1.1, section 3.1.4).
 */
export function secretClient(name: string, password: string): string {
  const secret = createHmac('sha256', password).update(`client ${name}`).digest('hex');
  return `${name}-${secret.slice(0, SECRET_CHARACTERS)}`;
}

/**
 * How the client ids of a site begin. Each process of it adds something of its own: two machines with the same credentials
 * are both at the broker, where the master tells them apart, and do not put each other out again and again.
 * @param password the one that lets the site in at the broker
 */
export function siteClients(syncId: number, password: string): string {
  return `${secretClient(`${CLIENT}${syncId}`, password)}-`;
}

/** Which site a client says that it is; `undefined` for one that does not say that it is a site. */
export function claimedBy(clientId: string): number | undefined {
  if (!clientId.startsWith(CLIENT)) return undefined;
  return Number(clientId.slice(CLIENT.length).split('-')[0]);
}
