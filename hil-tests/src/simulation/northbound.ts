import { Audit } from '@whorl/gateway/access/audit';
import { startMqtt } from '@whorl/gateway/mqtt/face';
import { silentLog } from '@whorl/gateway';
import type { Gateway } from '@whorl/gateway';
import { seededRandom } from '@whorl/protocol';
import type { Clock } from '@whorl/protocol';
import { z } from 'zod';
import type { Beside } from '../rig/beside.ts';
import { CALM, SimulatedBroker } from './broker.ts';
import type { Publication } from './broker.ts';

const NAME = 'rig';
const ROOT = `whorl/${NAME}`;
/** A program that hears nothing asks again, under the same id, milliseconds. */
const AGAIN_MS = 5_000;

const eventSchema = z.looseObject({ id: z.int(), type: z.string(), user: z.int().exactOptional() });
const answerSchema = z.looseObject({ id: z.string(), ok: z.boolean() });

/** Something that a program asked for. */
export interface Asked {
  readonly id: string;
  /** What tells it from all others, where it is done: the value that it sets. */
  readonly value: number;
  /** Gateways that it was handed to: none knows what another one did. */
  readonly lives: Set<number>;
  /** What the answer said, when there was one. */
  ok?: boolean;
}

/** What programs at a gateway's broker say and hear, in virtual time. */
export class Northbound implements Beside {
  readonly broker: SimulatedBroker;
  /** Events as they were said, by id: the first time. */
  readonly events = new Map<number, { readonly type: string; readonly user?: number | undefined }>();
  readonly asked: Asked[] = [];
  /** What was said and should not have been. */
  readonly wrong: string[] = [];
  readonly #clock: Clock;
  readonly #said: string[] = [];
  #life = 0;
  #newest = 0;

  constructor({ clock, seed }: { readonly clock: Clock; readonly seed: number }) {
    this.#clock = clock;
    this.broker = new SimulatedBroker({ clock, random: seededRandom(seed) });
    this.broker.onPublished = (publication) => this.#hear(publication);
  }

  async start(gateway: Gateway): Promise<() => Promise<void>> {
    this.#life += 1;
    const { operations, tasks, store, hub } = gateway;
    const face = await startMqtt({
      ...{ operations, tasks, store, hub, clock: this.#clock, log: silentLog },
      ...{ config: { enabled: true, host: '127.0.0.1', port: 0 }, gateway: NAME, dataDir: '' },
      audit: new Audit(store.audit, this.#clock, () => undefined),
      way: () => ({ wire: () => this.broker.wire() }),
    });
    return () => face.stop();
  }

  /** The gateway's machine lost power. */
  cut(): void {
    this.broker.cut();
  }

  /**
   * A program asks for something that only it asks for, again and again until it is answered.
   * @param againMs asks once more so soon whatever happens, milliseconds
   */
  ask(value: number, againMs?: number): string {
    const one: Asked = { id: `program-${this.asked.length + 1}`, value, lives: new Set() };
    this.asked.push(one);
    this.#sendUntilAnswered(one);
    if (againMs !== undefined) this.#clock.after(againMs, () => this.#send(one));
    return one.id;
  }

  /** Nothing is wrong with the broker any more. */
  heal(): void {
    this.broker.mood = CALM;
    this.broker.cutAfter(Number.POSITIVE_INFINITY);
    this.broker.start();
  }

  /** Whether all that was asked is answered, and all that happened was said. @param newest id of the newest event */
  isAtRest(newest: number): boolean {
    return this.asked.every(({ ok }) => ok !== undefined) && this.#newest >= newest && this.broker.isHeard;
  }

  /** @returns what is retained under a topic, as JSON says it */
  retained(topic: string): unknown {
    const text = this.broker.retained.get(`${ROOT}/${topic}`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  /** All that the gateway ever said. */
  everything(): string {
    return this.#said.join('\n');
  }

  #sendUntilAnswered(one: Asked): void {
    if (one.ok !== undefined) return;
    this.#send(one);
    this.#clock.after(AGAIN_MS, () => this.#sendUntilAnswered(one));
  }

  #send(one: Asked): void {
    const payload = JSON.stringify({ id: one.id, changes: { guardUsers: one.value } });
    if (this.broker.publish({ topic: `${ROOT}/commands/settings.set`, payload })) one.lives.add(this.#life);
  }

  #hear({ topic, payload }: Publication): void {
    this.#said.push(payload);
    if (!topic.startsWith(`${ROOT}/`)) this.wrong.push(`something was said under ${topic}`);
    if (topic.startsWith(`${ROOT}/events/`)) this.#hearEvent(payload);
    if (!topic.startsWith(`${ROOT}/answers/`)) return;
    const { id, ok } = answerSchema.parse(JSON.parse(payload));
    const one = this.asked.find((asked) => asked.id === id);
    if (one === undefined) this.wrong.push(`${id} was answered, and nobody asked it`);
    else if (one.ok !== undefined && one.ok !== ok) this.wrong.push(`${id} got two answers that differ`);
    else one.ok = ok;
  }

  #hearEvent(payload: string): void {
    const { id, type, user } = eventSchema.parse(JSON.parse(payload));
    if (this.events.has(id)) return;
    if (id < this.#newest) this.wrong.push(`event ${id} was said after event ${this.#newest}`);
    this.#newest = Math.max(this.#newest, id);
    this.events.set(id, { type, user });
  }
}
