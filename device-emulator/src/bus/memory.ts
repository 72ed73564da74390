import type { Port } from './port.ts';

class MemoryPort implements Port {
  peer: MemoryPort | undefined;
  #bytes: (bytes: Uint8Array) => void = () => undefined;
  #closed: (reason: string) => void = () => undefined;
  #open = true;

  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#bytes = listener;
  }

  onClosed(listener: (reason: string) => void): void {
    this.#closed = listener;
  }

  write(bytes: Uint8Array): void {
    if (this.#open) this.peer?.receive(bytes);
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    this.peer?.farEndGone();
  }

  receive(bytes: Uint8Array): void {
    if (this.#open) this.#bytes(bytes);
  }

  farEndGone(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#closed('the cable was pulled');
  }
}

/** Two ends of a wire within the process. Bytes arrive within the call that writes them. */
export function memoryPair(): readonly [Port, Port] {
  const [a, b] = [new MemoryPort(), new MemoryPort()];
  a.peer = b;
  b.peer = a;
  return [a, b];
}
