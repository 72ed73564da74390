import { createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

/** What a self-made certificate says. */
export interface CertificateWish {
  /** Names and addresses that the gateway is reached by. */
  readonly names: readonly string[];
  /** Milliseconds UTC. */
  readonly from: number;
  /** Milliseconds UTC. */
  readonly until: number;
  /** Random. */
  readonly serial: Uint8Array;
}

/**
 * An X.509 certificate for a server that nobody else vouches for (RFC 5280, section 4.1): ECDSA over P-256, signed with
 * its own key.
 * @returns both as PEM
 */
export function makeCertificate(wish: CertificateWish): { readonly cert: string; readonly key: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const body = tbsCertificate(wish, createPublicKey(privateKey));
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, ECDSA_SHA256, bitString(signature));
  return { cert: pem('CERTIFICATE', der), key: keyPem(privateKey) };
}

/** As people compare it: SHA-256 over the certificate, `AB:CD:…`. @param cert PEM; the first one counts */
export function fingerprintOf(cert: string): string {
  const body = /-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/.exec(cert)?.[1] ?? '';
  const digest = createHash('sha256').update(Buffer.from(body, 'base64')).digest('hex').toUpperCase();
  return digest.replaceAll(/(..)(?=.)/g, '$1:');
}

function tbsCertificate({ names, from, until, serial }: CertificateWish, key: KeyObject): Buffer {
  const name = sequence(
    set(sequence(objectId(2, 5, 4, 3), tagged(UTF8_STRING, Buffer.from('Whorl gateway')))),
  );
  return sequence(
    tagged(EXPLICIT_0, integer(Buffer.of(2))),
    integer(serial),
    ECDSA_SHA256,
    name,
    sequence(time(from), time(until)),
    name,
    key.export({ type: 'spki', format: 'der' }),
    tagged(
      EXPLICIT_3,
      sequence(
        extension(objectId(2, 5, 29, 19), true, sequence()),
        extension(objectId(2, 5, 29, 15), true, tagged(BIT_STRING, Buffer.of(7, 0x80))),
        extension(objectId(2, 5, 29, 37), false, sequence(objectId(1, 3, 6, 1, 5, 5, 7, 3, 1))),
        extension(objectId(2, 5, 29, 17), false, sequence(...names.map(generalName))),
      ),
    ),
  );
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const UTC_TIME = 0x17;
const EXPLICIT_0 = 0xa0;
const EXPLICIT_3 = 0xa3;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const ECDSA_SHA256 = sequence(objectId(1, 2, 840, 10_045, 4, 3, 2));

function generalName(name: string): Buffer {
  if (isIPv4(name)) return tagged(IP_ADDRESS, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return tagged(IP_ADDRESS, ipv6(name));
  return tagged(DNS_NAME, Buffer.from(name, 'ascii'));
}

/** The sixteen bytes of an address without zone; an embedded IPv4 part is written in hex by the URL parser. */
function ipv6(address: string): Buffer {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return Buffer.from([...first, ...zeros, ...last].flatMap((group) => [group >> 8, group & 0xff]));
}

function extension(id: Buffer, critical: boolean, value: Buffer): Buffer {
  const flag = critical ? [tagged(0x01, Buffer.of(0xff))] : [];
  return sequence(id, ...flag, tagged(OCTET_STRING, value));
}

/** Years from 2050 on have another form (RFC 5280, section 4.1.2.5). */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return Number(digits.slice(0, 4)) < 2050
    ? tagged(UTC_TIME, Buffer.from(digits.slice(2)))
    : tagged(GENERALIZED_TIME, Buffer.from(digits));
}

/** Positive, without leading zeros. */
function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0);
  const short = start === -1 ? Buffer.of(0) : Buffer.from(bytes.subarray(start));
  return tagged(INTEGER, (short[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), short]) : short);
}

function objectId(first: number, second: number, ...rest: number[]): Buffer {
  const bytes = rest.flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return tagged(OBJECT_ID, Buffer.of(40 * first + second, ...bytes));
}

function bitString(bytes: Uint8Array): Buffer {
  return tagged(BIT_STRING, Buffer.concat([Buffer.of(0), bytes]));
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x31, Buffer.concat(parts));
}

/** Tag, length, value (X.690, distinguished encoding). */
function tagged(tag: number, value: Uint8Array): Buffer {
  const { length } = value;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), value]);
}

function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

function keyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
