import { readFileSync } from 'node:fs';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { describe, WhorlError } from '@whorl/protocol';
import { isLoopback } from '../settings/loopback.ts';
import { brokerPlace } from '../settings/mqtt.ts';
import type { BrokerPlace, ExternalBroker } from '../settings/mqtt.ts';
import { BoundedStream } from './bounded-stream.ts';
import type { Way } from './kept-connection.ts';
import { readPassword } from './password.ts';

/** What a broker may send at once: commands of any size, to be refused, but not a flood. */
const BROKER_BOUNDS = { first: 1024, later: 16 * 1024 * 1024, unread: 64 * 1024 * 1024 };

/** How a broker that the configuration names is reached. @throws WhorlError MQTT_PASSWORD, MQTT_TLS */
export function externalWay({ url, user, passwordFile, ca }: ExternalBroker): Way {
  return { wire: brokerWire(url, ca), login: { user, password: readPassword(passwordFile) } };
}

/** Opens connections to a broker: over TLS, or on loopback. @throws WhorlError MQTT_TLS */
export function brokerWire(url: string, ca: string | undefined): Way['wire'] {
  const place = brokerPlace(url);
  if (place === undefined || (!place.tls && !isLoopback(place.host)))
    throw new WhorlError('MQTT_TLS', `${url} is neither on loopback nor mqtts://`);
  const authority = ca === undefined ? undefined : readAuthority(ca);
  return () => new BoundedStream(openSocket(place, authority), BROKER_BOUNDS);
}

function openSocket({ host, port, tls }: BrokerPlace, ca: Buffer | undefined): Duplex {
  const place = { host, port, noDelay: true };
  if (!tls) return connect(place);
  return connectTls({
    ...place,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
  });
}

/** @throws WhorlError MQTT_TLS */
export function readAuthority(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new WhorlError('MQTT_TLS', `${path}: ${describe(cause)}`, { cause });
  }
}
