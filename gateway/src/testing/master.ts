import { startService } from '../service.ts';
import type { Service } from '../service.ts';
import { silentLog } from '../settings/log.ts';

/** A master without lines, as a process would run it: its store on disk, an embedded broker, its local socket. */
export function startMaster(data: string): Promise<Service> {
  return startService(
    {
      site: { name: 'hq', lines: [] },
      sites: { role: 'master' },
      data,
      http: { enabled: false, host: '127.0.0.1', port: 0, names: [] },
      mqtt: { enabled: true, host: '127.0.0.1', port: 0 },
      logLevel: 'error',
    },
    silentLog,
  );
}
