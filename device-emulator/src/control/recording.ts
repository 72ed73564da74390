import { captureHead, keyLine, KEYS_HEAD, lineBlock, packetBlock, Runs, wireMs } from '@whorl/protocol';
import type { CapturedLine, Clock, LoggedKeys } from '@whorl/protocol';
import type { Medium } from '../bus/medium.ts';
import { growingFile } from '../files/growing.ts';

/** What is kept of what lines say, while it goes on. */
export interface Recording {
  /** Records a line from now on. */
  readonly line: (line: CapturedLine, medium: Medium) => void;
  readonly end: () => void;
}

/**
 * Records lines to a file in pcapng, with directions and times.
 * @param failed told once, when the file cannot be written any more
 * @throws WhorlError FILE_WRITE
 */
export function recordTo(path: string, clock: Clock, failed: (reason: string) => void): Recording {
  const file = growingFile(path, { again: false, failed });
  file.append(captureHead([]));
  const startMs = clock.wallTime() - clock.now();
  const ends: (() => void)[] = [];
  return {
    line(line, medium) {
      const index = ends.length;
      file.append(lineBlock(line));
      const byteUs = line.baud === undefined ? 0 : 1000 * wireMs(1, line.baud);
      const runs = new Runs(byteUs, (run) => {
        file.append(packetBlock(index, run));
      });
      medium.tap((bytes, fromGateway, { noise, endMs }) => {
        const direction = fromGateway ? 'to-terminal' : noise ? undefined : 'to-gateway';
        runs.push(bytes, 1000 * (startMs + endMs), direction);
      });
      ends.push(() => {
        runs.end();
      });
    },
    end() {
      for (const end of ends) end();
      file.close();
    },
  };
}

/**
 * Appends keys to a key file, which is made when there is none; each once.
 * @throws WhorlError FILE_WRITE; KEYS_OPEN when others may read the file
 */
export function logKeysTo(path: string, failed: (reason: string) => void): (keys: LoggedKeys) => void {
  const file = growingFile(path, { again: true, failed });
  if (file.isNew) file.append(Buffer.from(KEYS_HEAD));
  const known = new Set<string>();
  return (keys) => {
    const line = keyLine(keys);
    if (known.has(line)) return;
    // What all terminals of a line have, each of them tells; sessions are never told twice.
    if (keys.kind === 'group') known.add(line);
    file.append(Buffer.from(line));
  };
}
