import { createHmac, hash } from 'node:crypto';

/** argon2id with the cost that this release has for passwords; 32 bytes. */
export type DeriveKey = (password: string, salt: Uint8Array) => Promise<Uint8Array>;

/** Whom a password is for. */
export interface SiteName {
  /** Name of the master's gateway. */
  readonly master: string;
  readonly syncId: number;
  readonly user: string;
}

const SALT_BYTES = 16;

/**
 * What a site's password is known by at both ends. The salt follows from whom it is for, so that the satellite need
 * not ask for it before it may speak.
 */
export function verifierOf(derive: DeriveKey, password: string, name: SiteName): Promise<Uint8Array> {
  const salt = hash('sha256', `Whorl site 1\n${wordsOf(name)}`, 'buffer').subarray(0, SALT_BYTES);
  return derive(password, salt);
}

/** The same for one site, made once for each password: a connection needs it twice, and links come and go. */
export function keptVerifier(derive: DeriveKey, name: SiteName): (password: string) => Promise<Uint8Array> {
  let kept: { readonly password: string; readonly verifier: Uint8Array } | undefined;
  return async (password) => {
    if (kept?.password !== password) kept = { password, verifier: await verifierOf(derive, password, name) };
    return kept.verifier;
  };
}

/** The code that both ends of a first login agree on a key with. */
export function loginCode(verifier: Uint8Array): Uint8Array {
  return part(verifier, 'login');
}

/** The password that lets a site in at the master's own broker: nothing of the site's password can be had from it. */
export function brokerPassword(verifier: Uint8Array): string {
  return Buffer.from(part(verifier, 'broker')).toString('base64url');
}

export function wordsOf({ master, syncId, user }: SiteName): string {
  return `${master}\n${syncId}\n${user}`;
}

function part(verifier: Uint8Array, what: string): Uint8Array {
  return createHmac('sha256', verifier).update(`Whorl site ${what}`).digest();
}
