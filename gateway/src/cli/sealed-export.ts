import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { WhorlError } from '@whorl/protocol';

/** First bytes of an encrypted export; the last one is the version of the format. */
const MAGIC = Buffer.from('WHRLEXP\x01', 'latin1');
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** 64 MiB and about a fifth of a second a guess (RFC 7914, section 2). */
const COST = { N: 2 ** 16, r: 8, p: 1, maxmem: 128 << 20 };

/** Magic, salt, nonce, then text under AES-256-GCM with a key from the passphrase by scrypt. */
export async function sealExport(text: string, passphrase: string): Promise<Buffer> {
  const salt = randomBytes(SALT_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', await keyOf(passphrase, salt), nonce).setAAD(MAGIC);
  return Buffer.concat([
    MAGIC,
    salt,
    nonce,
    cipher.update(text, 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/**
 * The text of an encrypted export; `undefined` when the bytes are none.
 * @throws WhorlError EXPORT_SEALED
 */
export async function openExport(bytes: Buffer, passphrase: () => string): Promise<string | undefined> {
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const salt = bytes.subarray(MAGIC.length, MAGIC.length + SALT_BYTES);
  const nonce = bytes.subarray(MAGIC.length + SALT_BYTES, MAGIC.length + SALT_BYTES + NONCE_BYTES);
  const sealed = bytes.subarray(MAGIC.length + SALT_BYTES + NONCE_BYTES, -TAG_BYTES);
  const key = await keyOf(passphrase(), salt);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      .setAAD(MAGIC)
      .setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new WhorlError('EXPORT_SEALED', 'the export cannot be decrypted', { cause });
  }
}

function keyOf(passphrase: string, salt: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, COST, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}
