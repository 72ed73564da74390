import { randomUUID } from 'node:crypto';
import { describe, WhorlError } from '@whorl/protocol';
import { connectAsync } from 'mqtt';
import type { MqttClient } from 'mqtt';
import type { EventHub } from '../events/hub.ts';
import type { Log } from '../settings/log.ts';
import type { MqttConfig } from '../settings/schema.ts';
import type { Store } from '../store/store.ts';
import type { Operations } from '../sync/operations.ts';
import { BROKER_USER, MOST_COMMAND_BYTES, startBroker } from './broker.ts';
import { COMMANDS } from './commands.ts';

export interface MqttParts {
  readonly config: MqttConfig;
  readonly gateway: string;
  /** The data directory: the broker's password stands there. */
  readonly data: string;
  readonly operations: Operations;
  readonly store: Store;
  readonly hub: EventHub;
  readonly log: Log;
}

/** Id of the last event that was published: after an interruption it goes on behind it. */
const PUBLISHED = 'mqtt.published';
const PAGE = 500;
const ANSWERS_KEPT = 1000;

/** Publishes what happens, and answers what programs ask; see MQTT.md for the topics. @throws WhorlError MQTT_BROKER */
export async function startMqtt(parts: MqttParts): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const { config, data, log } = parts;
  const root = `whorl/${parts.gateway}`;
  const own = randomUUID();
  const broker = await startBroker(config, data, { root, own });
  const scheme = config.tls === undefined ? 'mqtt' : 'mqtts';
  const client = await connectAsync(`${scheme}://${config.host}:${broker.port}`, {
    clientId: own,
    username: BROKER_USER,
    password: broker.password,
    protocolVersion: 4,
    // It is our own broker, in this very process; its certificate may name any host.
    rejectUnauthorized: false,
    will: { topic: `${root}/state`, payload: Buffer.from('{"state":"offline"}'), qos: 1, retain: true },
  });
  log.info(
    { port: broker.port },
    `mqtt: broker on ${config.host} port ${broker.port}, user ${BROKER_USER}, password in ${broker.passwordFile}`,
  );
  const publisher = new Publisher(parts, client, root);
  await publisher.start();
  const desk = new CommandDesk(parts, client, root);
  await desk.start();
  return {
    port: broker.port,
    async stop() {
      await publisher.stop();
      await client.publishAsync(`${root}/state`, '{"state":"offline"}', { qos: 1, retain: true });
      await client.endAsync();
      await broker.stop();
    },
  };
}

/** Says what happens: each stored event once the store has it, in order, and the states of lines and terminals. */
class Publisher {
  readonly #parts: MqttParts;
  readonly #client: MqttClient;
  readonly #root: string;
  #working: Promise<void> | undefined;
  #again = false;
  #unsubscribe: () => void = () => undefined;

  constructor(parts: MqttParts, client: MqttClient, root: string) {
    this.#parts = parts;
    this.#client = client;
    this.#root = root;
  }

  async start(): Promise<void> {
    await this.#client.publishAsync(`${this.#root}/state`, '{"state":"online"}', { qos: 1, retain: true });
    this.#unsubscribe = this.#parts.hub.subscribe(() => {
      this.#kick();
    });
    this.#kick();
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#working;
  }

  #kick(): void {
    this.#again = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        await this.#publishNew();
      }
    } catch (error) {
      this.#parts.log.error({}, `mqtt: events could not be published: ${describe(error)}`);
    }
  }

  async #publishNew(): Promise<void> {
    const { store } = this.#parts;
    for (let after = Number((await store.note(PUBLISHED)) ?? 0); ;) {
      const events = await store.events({ after, limit: PAGE });
      const last = events.at(-1);
      if (last === undefined) return;
      for (const { source: _, ...event } of events) {
        await this.#client.publishAsync(
          `${this.#root}/events/${event.type.replaceAll('.', '/')}`,
          JSON.stringify(event),
          { qos: 1 },
        );
      }
      await store.saveNote(PUBLISHED, String(last.id));
      after = last.id;
      if (
        events.some((event) => event.type.startsWith('line.') || /^terminal\.(on|off)line$/.test(event.type))
      )
        await this.#publishStates();
    }
  }

  async #publishStates(): Promise<void> {
    const status = await this.#parts.operations.status();
    for (const { name, state, over, reason } of status.lines)
      await this.#state(`lines/${name}`, { state, over, reason });
    for (const { name, state, line, serial, model, reason } of status.terminals)
      await this.#state(`terminals/${name}`, { state, line, serial, model, reason });
  }

  async #state(topic: string, state: object): Promise<void> {
    await this.#client.publishAsync(`${this.#root}/${topic}/state`, JSON.stringify(state), {
      qos: 1,
      retain: true,
    });
  }
}

/** Takes commands and answers each; what makes no sense is answered with what is wrong and changes nothing. */
class CommandDesk {
  readonly #parts: MqttParts;
  readonly #client: MqttClient;
  readonly #root: string;
  /** Answers by id, so that a command delivered twice is done once. */
  readonly #answers = new Map<string, string>();

  constructor(parts: MqttParts, client: MqttClient, root: string) {
    this.#parts = parts;
    this.#client = client;
    this.#root = root;
  }

  async start(): Promise<void> {
    this.#client.on('message', (topic, payload, packet) => {
      void this.#take(topic, payload, packet.retain).catch((error: unknown) => {
        this.#parts.log.error({ topic }, `mqtt: a command failed: ${describe(error)}`);
      });
    });
    await this.#client.subscribeAsync(`${this.#root}/commands/#`, { qos: 1 });
  }

  async #take(topic: string, payload: Buffer, retained: boolean): Promise<void> {
    const name = topic.slice(`${this.#root}/commands/`.length);
    const read = readRequest(payload);
    if (read.id === undefined) {
      await this.#client.publishAsync(
        `${this.#root}/errors`,
        JSON.stringify({ topic, ...errorOf(new WhorlError('MQTT_COMMAND', read.problem)) }),
        { qos: 1 },
      );
      return;
    }
    const known = this.#answers.get(read.id);
    const answer = known ?? JSON.stringify(await this.#answer(name, read.id, read.value, retained));
    this.#answers.set(read.id, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > ANSWERS_KEPT && oldest !== undefined) this.#answers.delete(oldest);
    await this.#client.publishAsync(`${this.#root}/answers/${read.id}`, answer, { qos: 1 });
  }

  async #answer(name: string, id: string, value: unknown, retained: boolean): Promise<object> {
    try {
      if (retained)
        throw new WhorlError(
          'MQTT_COMMAND',
          'a retained command would be done again at every start; publish it without retain',
        );
      const row = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (row === undefined)
        throw new WhorlError(
          'MQTT_COMMAND',
          `no command is called ${name}; there are ${Object.keys(COMMANDS).join(', ')}`,
        );
      const parsed = row.schema.safeParse(value);
      if (!parsed.success)
        throw new WhorlError(
          'MQTT_COMMAND',
          parsed.error.issues
            .map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`)
            .join('; '),
        );
      return { id, ok: true, result: await row.run(this.#parts.operations, parsed.data as never) };
    } catch (error) {
      return { id, ok: false, error: errorOf(error) };
    }
  }
}

function readRequest(payload: Buffer): { id: string; value: unknown } | { id: undefined; problem: string } {
  if (payload.length > MOST_COMMAND_BYTES)
    return { id: undefined, problem: `a command of ${payload.length} bytes` };
  try {
    const value: unknown = JSON.parse(payload.toString('utf8'));
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
    if (typeof id === 'string' && /^[\w.-]{1,64}$/.test(id)) return { id, value };
    return { id: undefined, problem: 'a command without an `id` of letters, digits, dots and dashes' };
  } catch {
    return { id: undefined, problem: 'a command that is not JSON' };
  }
}

function errorOf(error: unknown): object {
  if (error instanceof WhorlError) return { code: error.code, message: error.message, remedy: error.remedy };
  return { code: 'INTERNAL', message: 'The gateway failed on this command; its log says more.' };
}
