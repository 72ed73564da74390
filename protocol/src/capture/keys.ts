import { WhorlError } from '../errors.ts';
import { ADDRESS_MAX } from '../frame/frame.ts';
import { KEY_BYTES } from '../session/noise.ts';

/** Keys of a session, or of a line's broadcasts, as a terminal has them. Whoever has them reads what was sealed. */
export type TrafficKeys =
  | {
      readonly kind: 'session';
      readonly address: number;
      /** From the gateway. */
      readonly forth: Uint8Array;
      /** From the terminal. */
      readonly back: Uint8Array;
    }
  | {
      readonly kind: 'group';
      /** How often the key was renewed from the first on: the upper part of the counters that it is for. */
      readonly epoch: number;
      readonly key: Uint8Array;
    };

/** As a key file has them. The line's name is for people: which frames a key opens shows when it is tried. */
export type LoggedKeys = TrafficKeys & { readonly line: string };

/** What a key file begins with. */
export const KEYS_HEAD = `# Session keys of Whorl, for \`whorl decode --keys\` and Wireshark. Whoever has this file reads what was sealed.
# session LINE ADDRESS KEY-FROM-GATEWAY KEY-FROM-TERMINAL
# group LINE EPOCH KEY
`;

/** Keys as a line of a key file, its end included. */
export function keyLine(keys: LoggedKeys): string {
  const words =
    keys.kind === 'session'
      ? [keys.kind, keys.line, keys.address.toString(), hex(keys.forth), hex(keys.back)]
      : [keys.kind, keys.line, keys.epoch.toString(), hex(keys.key)];
  return `${words.join(' ')}\n`;
}

/**
 * Reads a key file; empty lines and those that begin with # say nothing. A last line without its end is left out when
 * others stand before it: it is being written.
 * @throws WhorlError KEYS_FORMAT naming the line, never what stands in it
 */
export function readKeys(text: string): LoggedKeys[] {
  const whole = text.split('\n');
  const lines = whole.length > 1 ? whole.slice(0, -1) : whole;
  return lines.flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0]?.startsWith('#') === true) return [];
    const keys = keysOf(words);
    if (keys === undefined) throw new WhorlError('KEYS_FORMAT', `line ${(index + 1).toString()}`);
    return [keys];
  });
}

function keysOf([kind, line = '', ...rest]: readonly string[]): LoggedKeys | undefined {
  if (kind === 'session' && rest.length === 3) {
    const address = Number(rest[0]);
    const [forth, back] = [keyOf(rest[1]), keyOf(rest[2])];
    if (!Number.isInteger(address) || address < 1 || address > ADDRESS_MAX) return undefined;
    return forth === undefined || back === undefined ? undefined : { kind, line, address, forth, back };
  }
  if (kind !== 'group' || rest.length !== 2 || !/^\d{1,5}$/.test(rest[0] ?? '')) return undefined;
  const key = keyOf(rest[1]);
  return key === undefined ? undefined : { kind, line, epoch: Number(rest[0]), key };
}

function keyOf(text = ''): Uint8Array | undefined {
  const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
  return bytes.length === KEY_BYTES && text.length === 2 * KEY_BYTES ? bytes : undefined;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
