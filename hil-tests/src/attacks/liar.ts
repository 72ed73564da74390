import { Channel, LOGIN } from '@whorl/gateway/sites/channel';
import { Login } from '@whorl/gateway/sites/login';
import { SITES_PROTOCOL } from '@whorl/gateway/sites/login-words';
import { readMessage, writeMessage } from '@whorl/gateway/sites/message';
import { verifierOf } from '@whorl/gateway/sites/secrets';
import { PASSWORD, quickDerive } from '@whorl/gateway/sites/testing/world';
import type { World } from '@whorl/gateway/sites/testing/world';
import type { SatelliteWire } from '@whorl/gateway/sites/wire';

const HARDWARE_BYTES = 16;

/** Who has a site's password, or its whole machine, and says to the master whatever he likes. */
export class Liar {
  readonly #world: World;
  readonly #wire: SatelliteWire;
  /** What the master answered, by the number of the question. */
  readonly answers = new Map<number, unknown>();
  #login: Login | undefined;
  #ended: unknown;
  #channel: Channel | undefined;
  #asked = 0;

  private constructor(world: World, wire: SatelliteWire) {
    this.#world = world;
    this.#wire = wire;
  }

  /** Logs in as a site of the list by its password. @param hardware of his machine. @throws Error as it was refused */
  static async logIn(world: World, site: { name: string; syncId: number }, hardware?: string): Promise<Liar> {
    const ears: { hear?: (bytes: Uint8Array) => void } = {};
    const open = world.bus.wire(site.syncId);
    const wire = await open((bytes) => ears.hear?.(bytes), new AbortController().signal);
    const liar = new Liar(world, wire);
    ears.hear = (bytes) => liar.#heard(bytes);
    const name = { master: 'hq', syncId: site.syncId, user: site.name };
    const own = Buffer.from(world.random.bytes(HARDWARE_BYTES)).toString('hex');
    const machine = { hardware: hardware ?? own, host: 'pc of a liar' };
    const verifier = await verifierOf(quickDerive, PASSWORD, name);
    liar.#login = new Login({
      name,
      version: '1',
      protocol: SITES_PROTOCOL,
      machine,
      random: world.random,
      verifier,
      token: undefined,
    });
    await wire.send(liar.#login.begin());
    await world.clock.run({
      forMs: 10_000,
      done: () => liar.#channel !== undefined || liar.#ended !== undefined,
    });
    if (liar.#channel === undefined) throw liar.#ended;
    return liar;
  }

  /** Says something in the session, and does not wait. @returns its number */
  say(request: unknown, blobs: readonly Uint8Array[] = []): number {
    this.#asked += 1;
    this.raw(writeMessage({ body: { id: this.#asked, request }, blobs }));
    return this.#asked;
  }

  /** Bytes, sealed as they are. */
  raw(clear: Uint8Array): void {
    if (this.#channel !== undefined) void this.#wire.send(this.#channel.seal(clear));
  }

  /** @returns what was answered: `{ id, answer }` or `{ id, failed }`; `undefined` for nothing */
  async ask(request: unknown, blobs: readonly Uint8Array[] = []): Promise<unknown> {
    const id = this.say(request, blobs);
    await this.#world.clock.run({ forMs: 10_000, done: () => this.answers.has(id) });
    return this.answers.get(id);
  }

  leave(): void {
    this.#wire.close();
  }

  #heard(bytes: Uint8Array): void {
    try {
      if (bytes[0] === LOGIN) this.#step(bytes);
      else this.#answered(this.#channel?.open(bytes));
    } catch (error) {
      this.#ended = error;
    }
  }

  #step(bytes: Uint8Array): void {
    const next = this.#login?.take(bytes);
    if (next instanceof Channel) this.#channel = next;
    else if (next !== undefined) void this.#wire.send(next);
  }

  #answered(clear: Uint8Array | undefined): void {
    if (clear === undefined) return;
    const { body } = readMessage(clear);
    if (typeof body === 'object' && body !== null && 'id' in body) this.answers.set(Number(body.id), body);
  }
}
