import { DIGEST_BYTES, digestOf } from '@whorl/protocol';
import type { Refusal } from '@whorl/protocol';
import type { Op } from '../ops.ts';
import type { Store } from '../store.ts';
import { isWhole } from './files.ts';

const OFFSET_BYTES = 4;

/**
 * Puts a part of a file behind what is stored of it: the file's digest (16), where the part begins (u32), its bytes.
 * @returns the digest of the object
 */
export function takePart(store: Store, object: Uint8Array, gone: Op): Uint8Array | Refusal {
  const head = DIGEST_BYTES + OFFSET_BYTES;
  const refused = (reason: Refusal): Refusal => {
    // What stays staged would be found complete when it is announced again.
    store.change([gone], []);
    return reason;
  };
  if (object.length <= head) return refused('malformed');
  const digest = object.slice(0, DIGEST_BYTES);
  const from = new DataView(object.buffer, object.byteOffset).getUint32(DIGEST_BYTES, true);
  const file = store.state.portable.files.get(digest);
  if (file === undefined) return refused('no-such-file');
  const bytes = object.slice(head);
  // Put in place before, and the answer was lost in a restart.
  if (from + bytes.length <= file.stored) {
    store.change([gone], []);
    return digestOf(object);
  }
  if (from !== file.stored || from + bytes.length > file.size) return refused('malformed');
  if (from + bytes.length === file.size && !isWhole(file, bytes)) {
    store.change([gone, { name: 'fileGone', digest }], []);
    return 'corrupt';
  }
  store.change([gone, { name: 'filePart', digest, bytes }], []);
  return digestOf(object);
}
