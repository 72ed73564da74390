import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { WhorlError } from '@whorl/protocol';

/** What two gateways say to each other: an object of JSON, and the bytes that it names by their index. */
export interface Message {
  readonly body: unknown;
  readonly blobs: readonly Uint8Array[];
}

const PLAIN = 0;
const DEFLATED = 1;
const HEAD_BYTES = 5;
/** Shorter ones grow. */
const WORTH_DEFLATING = 400;
const MOST_TEXT_BYTES = 8 * 1024 * 1024;

/**
 * A message as bytes: whether the object is deflated (1), its length (4), the object; then each blob with its length (4)
 * before it. Templates do not compress, and are left alone.
 */
export function writeMessage({ body, blobs }: Message): Uint8Array {
  const text = Buffer.from(JSON.stringify(body));
  const deflated = text.length < WORTH_DEFLATING ? text : deflateRawSync(text, { level: 1 });
  const small = deflated.length < text.length;
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = small ? DEFLATED : PLAIN;
  const shown = small ? deflated : text;
  head.writeUInt32LE(shown.length, 1);
  return Buffer.concat([head, shown, ...blobs.flatMap((blob) => [lengthOf(blob), blob])]);
}

/** @throws WhorlError SITES_MESSAGE */
export function readMessage(bytes: Uint8Array): Message {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEAD_BYTES) throw damaged('it ends before its head does');
  const end = HEAD_BYTES + view.readUInt32LE(1);
  if (end > view.length) throw damaged('it ends before its text does');
  const blobs: Uint8Array[] = [];
  for (let at = end; at < view.length;) {
    if (at + 4 > view.length) throw damaged('it ends in a length');
    const next = at + 4 + view.readUInt32LE(at);
    if (next > view.length) throw damaged('it ends before its bytes do');
    blobs.push(view.subarray(at + 4, next));
    at = next;
  }
  return { body: parsed(view[0] === DEFLATED, view.subarray(HEAD_BYTES, end)), blobs };
}

function parsed(deflated: boolean, bytes: Buffer): unknown {
  try {
    const text = deflated ? inflateRawSync(bytes, { maxOutputLength: MOST_TEXT_BYTES }) : bytes;
    return JSON.parse(text.toString());
  } catch (cause) {
    throw new WhorlError('SITES_MESSAGE', 'a message holds no JSON', { cause });
  }
}

function lengthOf(blob: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(blob.length);
  return length;
}

function damaged(text: string): WhorlError {
  return new WhorlError('SITES_MESSAGE', `a message is damaged: ${text}`);
}
