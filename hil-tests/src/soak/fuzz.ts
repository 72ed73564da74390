import {
  decodeMessage,
  decodeUser,
  encodeUser,
  fromWire,
  FrameSplitter,
  plainSession,
  readBatch,
  readRecord,
  seededRandom,
  systemClock,
  toWire,
  WhorlError,
  writeBatch,
} from '@whorl/protocol';
import type { Random } from '@whorl/protocol';

/**
 * Damaged frames, messages, users and batches through the whole decode path. Anything but a WhorlError is a crash.
 * @returns how many were tried, and how many crashed
 */
export function fuzz(options: { seed: number; forMs: number }): {
  frames: number;
  crashes: number;
  first?: string;
} {
  const random = seededRandom(options.seed);
  const seeds = corpus();
  const end = systemClock.now() + options.forMs;
  let frames = 0;
  let crashes = 0;
  let first: string | undefined;
  while (systemClock.now() < end) {
    for (const seed of seeds) {
      const input = mutated(seed.bytes, random);
      frames += 1;
      try {
        seed.decode(input);
      } catch (error) {
        if (error instanceof WhorlError) continue;
        crashes += 1;
        first ??= `${seed.name}: ${Buffer.from(input).toString('hex')}: ${String(error)}`;
      }
    }
  }
  return { frames, crashes, ...(first === undefined ? {} : { first }) };
}

interface Seed {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly decode: (bytes: Uint8Array) => void;
}

function corpus(): Seed[] {
  const header = { address: 3, sequence: 7, fromTerminal: true, attention: false };
  const record = {
    id: 88,
    time: 1_767_225_600_000,
    code: 0x0101,
    origin: 'terminal',
    user: 1042,
    detail: 0x40,
  } as const;
  const log = { epoch: 1, first: 1, last: 88 };
  const template = new Uint8Array(384).fill(7);
  const user = encodeUser({
    id: 1042,
    name: 'Ada',
    groups: [1, 2],
    'card.0': { format: 1, number: template.subarray(0, 7) },
    'finger.3': { format: 1, quality: 80, first: template, second: template },
  });
  const frames = [
    toWire(plainSession, header, 'logs.page', { log, records: [record, record] }),
    toWire(plainSession, { ...header, fromTerminal: false }, 'chunk', {
      transfer: 1,
      index: 2,
      data: template,
    }),
    toWire(plainSession, header, 'transfer.state', { transfer: 1, received: 3, from: 0, bitmap: [7, 0, 1] }),
    toWire(plainSession, header, 'idle', {}),
  ];
  const wire = (bytes: Uint8Array): void => {
    new FrameSplitter().push(bytes, (stuffed) => {
      decodeMessage(fromWire(plainSession, stuffed).payload);
    });
  };
  const payloads = frames.map((frame) => fromWire(plainSession, frame.subarray(0, -1)).payload);
  return [
    ...frames.map((bytes) => ({ name: 'wire', bytes, decode: wire })),
    ...payloads.map((bytes) => ({
      name: 'message',
      bytes,
      decode: (input: Uint8Array) => void decodeMessage(input),
    })),
    { name: 'user', bytes: user, decode: (input) => void decodeUser(input) },
    { name: 'record', bytes: user, decode: (input) => void readRecord(input) },
    {
      name: 'batch',
      bytes: writeBatch([readRecord(user), readRecord(user)]),
      decode: (input) => void readBatch(input),
    },
  ];
}

/** A few bytes changed, cut, doubled or put in. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(out.length + 1);
    switch (random.below(5)) {
      case 0:
        out = out.slice(0, at);
        break;
      case 1:
        out = Uint8Array.from([
          ...out.subarray(0, at),
          ...random.bytes(1 + random.below(3)),
          ...out.subarray(at),
        ]);
        break;
      case 2:
        out = Uint8Array.from([...out.subarray(at), ...out.subarray(0, at)]);
        break;
      default:
        if (at < out.length) out[at] = random.below(256);
    }
  }
  return out;
}
