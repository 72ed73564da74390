import { Cpace, describe, KEY_BYTES, pairingKey, respond, sameBytes, WhorlError } from '@whorl/protocol';
import type { Clock, Random } from '@whorl/protocol';
import type { SiteBinding, SiteRow } from '../store/sites.ts';
import { Channel } from './channel.ts';
import { loginChannel, loginPrologue, tokenName } from './login.ts';
import { decoded, encoded, machineSchema, readAs, readLogin, writeLogin } from './login-words.ts';
import type { Hello, LoginStep, Machine, Refusal } from './login-words.ts';
import { loginCode } from './secrets.ts';
import { versionsText } from './versions.ts';

/** Failed logins of one site: so many at once, then one in so many seconds. */
const MOST_FAILURES = 5;
const FAILURE_SECONDS = 20;
/** First logins that are half done, of one site. */
const MOST_OPEN = 4;

/** What came of a step of a login. */
export interface Admitted {
  readonly answer: Uint8Array;
  /** A session that counts from its first message on; whoever repeats an old login cannot make one. */
  readonly session?: {
    readonly channel: Channel;
    readonly machine: Machine;
    /** That it logged in with; none when it was by password. */
    readonly token: Uint8Array | undefined;
  };
  readonly refused?: { readonly code: Refusal; readonly text: string };
  /** User name of somebody whom the list does not have. */
  readonly user?: string;
}

export interface AdmissionParts {
  readonly master: string;
  readonly random: Random;
  readonly clock: Clock;
  /** Which exchange the master speaks. */
  readonly protocol: number;
  /** The site of the list that a machine is bound to. */
  readonly placed: (hardware: string) => Pick<SiteRow, 'syncId' | 'name'> | undefined;
}

/** The master's end of the logins of one site. Nothing is stored here. */
export class Admission {
  readonly #parts: AdmissionParts;
  /** First logins that are half done: the key, by their id. */
  readonly #open = new Map<string, Uint8Array>();
  /** What was answered last, for whoever says a step again because the answer was lost. */
  #last: { readonly said: Uint8Array; readonly answer: Uint8Array } | undefined;
  #failures = 0;
  #since = 0;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** @returns `undefined` for what is no step that a satellite takes */
  take(site: SiteRow, bytes: Uint8Array): Admitted | undefined {
    if (this.#last !== undefined && sameBytes(this.#last.said, bytes)) return { answer: this.#last.answer };
    const step = readLogin(bytes);
    const admitted =
      step.step === 'hello'
        ? this.#hello(site, step)
        : step.step === 'proof'
          ? this.#proof(site, step)
          : undefined;
    if (admitted !== undefined && admitted.refused === undefined)
      this.#last = { said: Uint8Array.from(bytes), answer: admitted.answer };
    return admitted;
  }

  #hello(site: SiteRow, hello: Hello): Admitted {
    const { id, protocol, user, token, noise, share } = hello;
    const { protocol: own } = this.#parts;
    if (protocol !== own) return refuse(id, 'SITES_VERSION', versionsText(protocol, own));
    if (!this.#mayTry()) return refuse(id, 'SITES_RATE', `too many failed logins of site ${site.syncId}`);
    if (user !== site.user)
      return this.#failed(id, `the master expects another user name of site ${site.syncId}`);
    if (noise !== undefined && token !== undefined) return this.#byToken(site, { id, token, noise });
    if (share === undefined) return refuse(id, 'SITES_TOKEN', 'neither a token nor a password was offered');
    const cpace = new Cpace({
      code: loginCode(site.verifier),
      channel: loginChannel(this.#name(site)),
      id: decoded(id),
      secret: this.#parts.random.bytes(KEY_BYTES),
    });
    try {
      this.#open.set(id, pairingKey(cpace.key({ share: decoded(share) }, { begins: false })));
    } catch (error) {
      return this.#failed(id, describe(error));
    }
    const [oldest] = this.#open.keys();
    if (this.#open.size > MOST_OPEN && oldest !== undefined) this.#open.delete(oldest);
    return { answer: writeLogin({ step: 'share', id, share: encoded(cpace.share) }) };
  }

  #byToken(site: SiteRow, hello: { id: string; token: string; noise: string }): Admitted {
    const { binding } = site;
    const held = [binding?.token, binding?.next].find(
      (one) => one !== undefined && tokenName(one) === hello.token,
    );
    if (held !== undefined) return this.#finish(site, { ...hello, psk: held, token: held });
    if (binding?.spent.includes(hello.token) === true)
      return refuse(
        hello.id,
        'SITES_CLONE',
        `a login with a token of site ${site.syncId} that was used up: another machine uses the same identity`,
      );
    return refuse(hello.id, 'SITES_TOKEN', `the master does not know this token of site ${site.syncId}`);
  }

  #proof(site: SiteRow, { id, noise }: Extract<LoginStep, { step: 'proof' }>): Admitted | undefined {
    const psk = this.#open.get(id);
    if (psk === undefined) return undefined;
    this.#open.delete(id);
    return this.#finish(site, { id, noise, psk, token: undefined });
  }

  #finish(
    site: SiteRow,
    it: { id: string; noise: string; psk: Uint8Array; token: Uint8Array | undefined },
  ): Admitted {
    const { id, psk, token } = it;
    const { random } = this.#parts;
    const prologue = loginPrologue(this.#name(site), decoded(id));
    const ephemeral = random.bytes(KEY_BYTES);
    let machine: Machine;
    const message = decoded(it.noise);
    try {
      machine = readAs(machineSchema, respond({ psk, prologue, ephemeral }, message).payload, 'a machine');
    } catch (error) {
      return this.#failed(id, error instanceof WhorlError ? 'the password is another one' : describe(error));
    }
    const refused = clashOf(site, machine, this.#parts.placed(machine.hardware));
    const verdict = Buffer.from(JSON.stringify(refused === undefined ? {} : { refused }));
    const { answer, keys } = respond({ psk, prologue, ephemeral }, message, verdict);
    const done = writeLogin({ step: 'done', id, noise: encoded(answer) });
    if (refused !== undefined) return { answer: done, refused };
    this.#failures = 0;
    return { answer: done, session: { channel: new Channel(keys, false), machine, token } };
  }

  /** Refuses a step of a login that had been taken. */
  refuse(step: Uint8Array, code: Refusal, text: string): Admitted {
    this.#last = undefined;
    return refuse(readLogin(step).id, code, text);
  }

  #name({ syncId, user }: SiteRow): { master: string; syncId: number; user: string } {
    return { master: this.#parts.master, syncId, user };
  }

  #failed(id: string, text: string): Admitted {
    this.#failures += 1;
    this.#since = this.#parts.clock.now();
    return refuse(id, 'SITES_PASSWORD', text);
  }

  #mayTry(): boolean {
    const waited = (this.#parts.clock.now() - this.#since) / 1000;
    return this.#failures < MOST_FAILURES || waited >= FAILURE_SECONDS;
  }
}

/** For a sync id that is not in the list. */
export function refuseUnknown(syncId: number, bytes: Uint8Array): Admitted | undefined {
  const step = readLogin(bytes);
  if (step.step !== 'hello') return undefined;
  const text = `the master's list has no site with sync id ${syncId}`;
  return { ...refuse(step.id, 'SITES_UNKNOWN', text), user: step.user };
}

/** Whether another machine is this site already, or this machine another site. */
function clashOf(
  { syncId, name, binding }: SiteRow,
  { hardware, host }: Machine,
  placed: ReturnType<AdmissionParts['placed']>,
): Admitted['refused'] {
  if (placed !== undefined && placed.syncId !== syncId)
    return {
      code: 'SITES_CLASH',
      text: `the data directory of ${host} is that of site ${placed.name} (sync id ${placed.syncId}), and its configuration that of site ${name} (sync id ${syncId}): put each to the other again; what is in the directory belongs to ${placed.name}`,
    };
  if (binding === undefined || binding.hardware === hardware) return undefined;
  const since = new Date(binding.since).toISOString().slice(0, 10);
  return {
    code: 'SITES_CLASH',
    text: `sync id ${syncId} is bound to another machine (${binding.host}, since ${since})`,
  };
}

function refuse(id: string, code: Refusal, text: string): Admitted {
  return { answer: writeLogin({ step: 'refused', id, code, text }), refused: { code, text } };
}

/** Names of used-up tokens that are remembered: whoever comes with an older one has to log in by password. */
const MOST_SPENT = 256;

/** The binding once a machine has logged in: a token is offered for its next login, the same until it is confirmed. */
export function offering(
  before: SiteBinding | undefined,
  machine: Machine,
  { now, random, token }: { now: number; random: Random; token: Uint8Array | undefined },
): SiteBinding & { readonly next: Uint8Array } {
  const { hardware, host } = machine;
  const held: SiteBinding = before ?? { hardware, host, since: now, spent: [] };
  const binding = token === undefined ? withoutTokens(held) : same(token, held.next) ? confirmed(held) : held;
  return { ...binding, host, next: binding.next ?? random.bytes(KEY_BYTES) };
}

/**
 * The binding once the machine has said that it keeps the token that it was offered.
 * @param machine logged in so; a token of it that a restored master did not know is used up as well, so that a copy of
 * the machine does not come in with the same one
 */
export function confirmed(binding: SiteBinding, machine?: Machine): SiteBinding {
  const { token, next, spent, ...rest } = binding;
  if (next === undefined) return binding;
  const unknown = machine?.unknown;
  return {
    ...rest,
    token: next,
    spent: noted(spend(spent, token), unknown === undefined || spent.includes(unknown) ? [] : [unknown]),
  };
}

/** Whoever had to give the password has none of them: they are somebody's no more. */
function withoutTokens({ token, next, spent, ...rest }: SiteBinding): SiteBinding {
  return { ...rest, spent: spend(spend(spent, token), next) };
}

function spend(spent: readonly string[], token: Uint8Array | undefined): readonly string[] {
  return token === undefined ? spent : noted(spent, [tokenName(token)]);
}

function noted(spent: readonly string[], names: readonly string[]): readonly string[] {
  return [...spent, ...names].slice(-MOST_SPENT);
}

function same(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && sameBytes(a, b);
}
