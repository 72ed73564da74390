import { execFileSync } from 'node:child_process';
import process from 'node:process';

/** Where one gateway stands. */
export interface Place {
  /** What a command begins with to run there. */
  readonly inside: readonly string[];
  /** Where its terminals listen: on its own premises, whatever becomes of its way out. */
  readonly hall: string;
  /** Its way to all the others. @returns false where there is no cable to pull */
  cut(): boolean;
  mend(): void;
  /** Packets lost so far because its way out was full. */
  lost(): number;
}

/** Places that reach each other over one host. */
export interface Networks {
  readonly kind: 'networks of their own' | 'loopback';
  /** Address that all places reach. */
  readonly meeting: string;
  readonly places: readonly Place[];
  remove(): void;
}

/** A slow line out: bits a second, and what waits for it at most, in bytes. */
const RATE = ['rate', '2mbit', 'burst', '3000', 'limit', '6000'];
const LOOPBACK = '127.0.0.1';

/**
 * A network namespace for each place: one link to a bridge where all meet, slow and with losses, and another one to
 * its own terminals. Where this system or account cannot have them, all are on loopback.
 */
export function openNetworks(count: number): Networks {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return onLoopback(count);
  const made = new Namespaces(count);
  try {
    made.open();
    process.once('exit', () => made.remove());
    return made;
  } catch {
    made.remove();
    return onLoopback(count);
  }
}

function onLoopback(count: number): Networks {
  const place = { inside: [], hall: LOOPBACK, cut: () => false, mend: () => undefined, lost: () => 0 };
  const places = Array.from({ length: count }, () => place);
  return { kind: 'loopback', meeting: LOOPBACK, places, remove: () => undefined };
}

function run(program: 'ip' | 'tc', args: string): string {
  return execFileSync(program, args.split(' '), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

class Namespaces implements Networks {
  readonly kind = 'networks of their own';
  readonly #id = process.pid.toString(36);
  readonly #net = process.pid % 250;
  readonly #names: readonly string[];
  #removed = false;

  constructor(count: number) {
    this.#names = Array.from({ length: count }, (_, index) => `whorl-${this.#id}-${index}`);
  }

  /** Of the addresses that are set apart for tests of networks. */
  get meeting(): string {
    return `198.18.${this.#net}.254`;
  }

  get #bridge(): string {
    return `wb${this.#id}`;
  }

  get places(): readonly Place[] {
    return this.#names.map((name, index) => {
      const out = this.#end('o', index);
      return {
        inside: ['ip', 'netns', 'exec', name],
        hall: this.#hall(index, 1),
        cut: () => {
          run('ip', `link set ${out} down`);
          return true;
        },
        mend: () => void run('ip', `link set ${out} up`),
        lost: () => {
          const ends = [run('tc', `-s qdisc show dev ${out}`), run('tc', `-n ${name} -s qdisc show dev out`)];
          const dropped = ends.map((text) => Number(/dropped (\d+)/.exec(text)?.[1] ?? 0));
          return dropped.reduce((sum, one) => sum + one, 0);
        },
      };
    });
  }

  #end(kind: 'o' | 'h', index: number): string {
    return `w${kind}${this.#id}-${index}`;
  }

  #hall(index: number, end: number): string {
    return `198.19.${this.#net}.${index * 4 + end}`;
  }

  open(): void {
    run('ip', `link add ${this.#bridge} type bridge`);
    run('ip', `addr add ${this.meeting}/24 dev ${this.#bridge}`);
    run('ip', `link set ${this.#bridge} up`);
    for (const [index, name] of this.#names.entries()) {
      const [out, hall] = [this.#end('o', index), this.#end('h', index)];
      run('ip', `netns add ${name}`);
      run('ip', `-n ${name} link set lo up`);
      run('ip', `link add ${out} type veth peer name out netns ${name}`);
      run('ip', `link add ${hall} type veth peer name hall netns ${name}`);
      run('ip', `-n ${name} addr add 198.18.${this.#net}.${index + 1}/24 dev out`);
      run('ip', `-n ${name} addr add ${this.#hall(index, 2)}/30 dev hall`);
      run('ip', `addr add ${this.#hall(index, 1)}/30 dev ${hall}`);
      run('ip', `link set ${out} master ${this.#bridge}`);
      for (const end of [out, hall]) run('ip', `link set ${end} up`);
      for (const end of ['out', 'hall']) run('ip', `-n ${name} link set ${end} up`);
      run('tc', `qdisc add dev ${out} root tbf ${RATE.join(' ')}`);
      run('tc', `-n ${name} qdisc add dev out root tbf ${RATE.join(' ')}`);
    }
  }

  /** Whatever of it there is. */
  remove(): void {
    if (this.#removed) return;
    this.#removed = true;
    const links = this.#names.flatMap((_, index) => [this.#end('o', index), this.#end('h', index)]);
    const all = [...links, this.#bridge].map((link) => `link del ${link}`);
    for (const args of [...all, ...this.#names.map((name) => `netns del ${name}`)]) {
      try {
        run('ip', args);
      } catch {
        // It was not made, or went with its other end.
      }
    }
  }
}
