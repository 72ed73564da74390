import process from 'node:process';
import { fitted, showPacket, viewPacket } from '@whorl/protocol';
import type { Decoded, ShownPacket } from '@whorl/protocol';

/** What a line says many times a second while nothing happens. */
const IDLE: ReadonlySet<Decoded['kind']> = new Set(['invitation', 'nothing']);

/** Tells what crossed a line as it comes, a packet a line, for people or for programs, and counts it. */
export class Telling {
  readonly #json: boolean;
  readonly #idle: boolean;
  readonly #counts = new Map<Decoded['kind'], number>();

  /** @param options.idle also what a line says while nothing happens; it is counted in any case */
  constructor({ json, idle }: { readonly json: boolean; readonly idle: boolean }) {
    this.#json = json;
    this.#idle = idle;
    // Whoever reads has seen enough: `whorl decode … | head`.
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      process.exit(0);
    });
  }

  tell(packet: ShownPacket): void {
    const { kind } = packet.decoded;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    if (!this.#idle && IDLE.has(kind)) return;
    console.log(
      this.#json ? JSON.stringify(viewPacket(packet)) : fitted(showPacket(packet), process.stdout.columns),
    );
  }

  /** Says, to people, how much of what it was. */
  sum(): void {
    if (this.#json) return;
    const all = [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
    const each = [...this.#counts].map(([kind, count]) => `${count} ${kind}`).join(', ');
    if (all !== 1)
      console.log(
        all === 0 ? 'Nothing crossed.' : fitted(`\n${all} in all: ${each}`, process.stdout.columns),
      );
  }
}
