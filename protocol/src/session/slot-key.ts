import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const HASH_BYTES = 32;
const NUMBER_BYTES = 4;
const TAG_BYTES = 8;
const INNER = 0x36;
const OUTER = 0x5c;
/** Of strings in which each character is a byte; a hash comes as one in half the time that an array takes. */
const BYTES = 'binary';

/**
 * Proves short answers that come in slots: HMAC-SHA-256 (RFC 2104), cut to 8 bytes. Dozens are made and checked a
 * second on each line, so the key's two blocks stand ready, with room for what is hashed behind them.
 */
export class SlotKey {
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#inner = padded(key, INNER, NUMBER_BYTES + 2);
    this.#outer = padded(key, OUTER, HASH_BYTES);
  }

  /**
   * @param number of the roll call, below 2³²
   * @param head the answer's two bytes of header
   */
  tag(number: number, head: Uint8Array): Uint8Array {
    this.#inner.writeUInt32LE(number, BLOCK_BYTES);
    this.#inner.set(head, BLOCK_BYTES + NUMBER_BYTES);
    this.#outer.write(hash('sha256', this.#inner, BYTES), BLOCK_BYTES, BYTES);
    const made = hash('sha256', this.#outer, BYTES);
    const tag = new Uint8Array(TAG_BYTES);
    for (let at = 0; at < TAG_BYTES; at += 1) tag[at] = made.charCodeAt(at);
    return tag;
  }
}

function padded(key: Uint8Array, pad: number, room: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + room);
  block.set(key);
  for (let at = 0; at < BLOCK_BYTES; at += 1) block[at] = (block[at] ?? 0) ^ pad;
  return block;
}
