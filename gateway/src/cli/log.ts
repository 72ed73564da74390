import { pino } from 'pino';
import { build as pretty } from 'pino-pretty';
import type { Log } from '../settings/log.ts';

/** Lines for people on a screen, JSON for whoever collects logs. */
export function makeLog(level: string, json: boolean): Log {
  return json
    ? pino({ level })
    : pino(
        { level },
        pretty({ ignore: 'pid,hostname', hideObject: true, translateTime: 'SYS:HH:MM:ss.l', sync: true }),
      );
}
