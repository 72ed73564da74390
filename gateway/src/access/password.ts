import { argon2, timingSafeEqual } from 'node:crypto';
import { counted, WhorlError } from '@whorl/protocol';
import type { Random } from '@whorl/protocol';

/** RFC 9106 with what OWASP advises for servers: 19 MiB, two passes, one lane; some tens of milliseconds. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
const LEAST_CHARACTERS = 12;
const MOST_CHARACTERS = 256;
/** At once: each takes its memory and one thread of the pool that also reads files. */
const AT_ONCE = 2;

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/]{22,86})\$([\w+/]{43,86})$/;

/** @throws WhorlError PASSWORD_WEAK */
export function checkPassword(name: string, password: string): void {
  const { length } = password;
  if (length < LEAST_CHARACTERS)
    throw new WhorlError('PASSWORD_WEAK', `the password has ${counted(length, 'character')}`);
  if (length > MOST_CHARACTERS)
    throw new WhorlError('PASSWORD_WEAK', `the password has more than ${MOST_CHARACTERS} characters`);
  if (password.toLowerCase().includes(name.toLowerCase()))
    throw new WhorlError('PASSWORD_WEAK', 'the password holds the name of the account');
  if (new Set(password).size < 5)
    throw new WhorlError('PASSWORD_WEAK', 'the password repeats few characters');
}

/** A password's argon2id hash, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export async function hashPassword(password: string, random: Random): Promise<string> {
  const salt = random.bytes(SALT_BYTES);
  const hash = await derive(password, salt, COST, HASH_BYTES);
  const { memory, passes, parallelism } = COST;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${bare(salt)}$${bare(hash)}`;
}

/** 32 bytes of argon2id, as {@link hashPassword} makes them: for a password that two ends agree on a key with. */
export async function deriveKey(password: string, salt: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await derive(password, salt, COST, HASH_BYTES));
}

/** Whether `password` is the one that `phc` was made of; takes as long for a wrong one. */
export async function isPassword(password: string, phc: string): Promise<boolean> {
  const [, memory, passes, parallelism, salt = '', hash = ''] = PHC.exec(phc) ?? [];
  const right = Buffer.from(hash, 'base64');
  if (right.length === 0) return false;
  const cost = { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  return timingSafeEqual(await derive(password, Buffer.from(salt, 'base64'), cost, right.length), right);
}

/** Of no password that anybody has: to take as long for a name that nobody has. */
export const NOBODYS_HASH = `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

const waiting: (() => void)[] = [];
let underWay = 0;

async function derive(
  password: string,
  salt: Uint8Array,
  cost: typeof COST,
  length: number,
): Promise<Buffer> {
  while (underWay >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  underWay += 1;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      argon2(
        'argon2id',
        { message: password.normalize('NFC'), nonce: salt, tagLength: length, ...cost },
        (error, key) => {
          if (error === null) resolve(key);
          else reject(error);
        },
      );
    });
  } finally {
    underWay -= 1;
    waiting.shift()?.();
  }
}

function bare(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '');
}
