import type { Clock } from '@whorl/protocol';
import { cable } from './cable.ts';
import type { Cable } from './cable.ts';
import type { Medium } from './medium.ts';
import { openPty } from './pty.ts';
import type { PtyPort } from './pty.ts';

/** A line behind a serial port: a pseudo-terminal that the gateway opens by the path of `link`. */
export function ptyCable(medium: Medium, options: { link: string; clock?: Clock }): Cable {
  let port: PtyPort | undefined;
  return cable(() => `serial port ${options.link}`, {
    async plug() {
      port = await openPty(options);
      medium.connect(port);
    },
    async unplug() {
      medium.disconnect();
      await port?.close();
      port = undefined;
    },
  });
}
