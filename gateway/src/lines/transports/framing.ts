import { Transform } from 'node:stream';
import type { Readable, TransformCallback } from 'node:stream';
import { DelimiterParser } from '@serialport/parser-delimiter';
import { DELIMITER, RunGuard } from '@whorl/protocol';
import type { Transport, TransportEvents } from '../transport.ts';

/**
 * Cuts what a port or socket receives at the delimiters. The parser holds bytes until one comes, without limit, so a
 * guard before it drops what is too long for any frame.
 * @returns the transport's `cut` and `lend`
 */
export function deliverFrames(source: Readable, events: TransportEvents): Pick<Transport, 'cut' | 'lend'> {
  const guard = new RunGuard();
  let dropped = 0;
  let between = true;
  let borrower: ((bytes: Uint8Array) => void) | undefined;
  const guarded = new Transform({
    transform(bytes: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      events.received(bytes.length);
      if (borrower !== undefined) {
        borrower(bytes);
        done();
        return;
      }
      const kept = guard.filter(bytes);
      if (guard.dropped > dropped) events.discarded(guard.dropped - dropped);
      dropped = guard.dropped;
      if (kept.length > 0) between = kept.at(-1) === DELIMITER;
      done(null, kept);
    },
  });
  const parser = source
    .pipe(guarded)
    .pipe(new DelimiterParser({ delimiter: [DELIMITER], includeDelimiter: false }));
  parser.on('data', (stuffed: Buffer) => {
    events.frame(stuffed);
  });
  return {
    cut() {
      if (between) return false;
      between = true;
      guarded.push(guard.filter(Uint8Array.of(DELIMITER)));
      return true;
    },
    lend(listener) {
      borrower = listener;
      return () => {
        borrower = undefined;
      };
    },
  };
}
