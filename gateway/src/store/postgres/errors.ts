import type { ErrorCode } from '@whorl/protocol';

/** Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html, longest first. */
const CODES: readonly (readonly [prefix: string, code: ErrorCode])[] = [
  ['53100', 'STORE_FULL'],
  ['53', 'STORE_BUSY'],
  ['25006', 'STORE_READONLY'],
  ['42501', 'STORE_READONLY'],
  ['40', 'STORE_BUSY'],
  ['55P03', 'STORE_BUSY'],
  ['57014', 'STORE_BUSY'],
  ['58', 'STORE_IO'],
  ['XX', 'STORE_CORRUPT'],
  ['28', 'STORE_REFUSED'],
  ['3D', 'STORE_REFUSED'],
];

/**
 * @param code as the server or the socket tells it
 * @param lost whether there is no connection now
 */
export function codeOfServer(code: string, lost: boolean): ErrorCode {
  const known = CODES.find(([prefix]) => code.startsWith(prefix));
  if (known !== undefined) return known[1];
  return lost ? 'STORE_UNREACHABLE' : 'STORE_IO';
}
