import { textOf } from '@whorl/protocol';

/** Of certificates that are not good for the date, as TLS tells them. */
const BY_DATE: ReadonlySet<string> = new Set(['CERT_NOT_YET_VALID', 'CERT_HAS_EXPIRED']);

/**
 * Why there is no TLS, in words. The date that a certificate is held against is that of this machine's clock, which is
 * wrong as often as the certificate: a PC without a battery begins in 1970.
 * @param error a text or an error, with TLS's own code
 * @param now what the clock on the wall shows, milliseconds UTC
 */
export function tlsTrouble(error: unknown, now: number, code = tlsCodeOf(error)): string {
  const text = textOf(error);
  return code !== undefined && BY_DATE.has(code)
    ? `${text}, by this machine’s clock, which shows ${shown(now)}`
    : text;
}

function tlsCodeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function shown(now: number): string {
  return `${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
