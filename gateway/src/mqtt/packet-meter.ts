/**
 * Follows the fixed headers of MQTT packets in a stream of bytes (MQTT 3.1.1, section 2.2), so that a packet that is too
 * large is known by its header, before anybody gathers its body.
 */
export class PacketMeter {
  readonly #later: number;
  /** Largest body that the packet under way may have: the first one is the stranger's. */
  #most: number;
  #phase: 'type' | 'length' | 'body' = 'type';
  /** Bytes of the body: so far by its header, then those still to come. */
  #body = 0;
  #scale = 1;

  /**
   * @param first most bytes of the body of the first packet
   * @param later the same of all others
   */
  constructor(first: number, later: number) {
    this.#most = first;
    this.#later = later;
  }

  /** @returns whether every packet so far may go on; once `false`, the stream is lost */
  take(bytes: Uint8Array): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#phase === 'body') {
        const step = Math.min(this.#body, bytes.length - at);
        this.#body -= step;
        at += step;
        if (this.#body === 0) this.#next();
      } else if (!this.#header(bytes[at++] ?? 0)) return false;
    }
    return true;
  }

  #header(byte: number): boolean {
    if (this.#phase === 'type') {
      this.#phase = 'length';
      return true;
    }
    this.#body += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    const more = (byte & 0x80) !== 0;
    if (this.#body > this.#most || (more && this.#scale > 128 ** 3)) return false;
    if (!more && this.#body === 0) this.#next();
    else if (!more) this.#phase = 'body';
    return true;
  }

  #next(): void {
    this.#phase = 'type';
    this.#body = 0;
    this.#scale = 1;
    this.#most = this.#later;
  }
}
