import { Agent, get } from 'node:http';
import { performance } from 'node:perf_hooks';
import { serve } from './process.ts';

/** Somebody who looks at the gateway through its API, at a steady pace whatever the answers take. */
export interface ApiClientApi {
  begin(given: { url: string; token: string; everyMs: number; users: number }): void;
  /** @returns milliseconds of each answer since the last time, from when it was to be asked for */
  take(given: null): { readonly took: readonly number[]; readonly failed: readonly string[] };
}

const PATHS = [
  '/status',
  '/users?limit=50',
  '/users/#',
  '/events?limit=50',
  '/ledger?user=#',
  '/me',
  '/conflicts?limit=50',
  '/users/#',
];

const agent = new Agent({ keepAlive: true, maxSockets: 32 });
let took: number[] = [];
let failed: string[] = [];
let timer: NodeJS.Timeout | undefined;

function begin({ url, token, everyMs, users }: Parameters<ApiClientApi['begin']>[0]): void {
  clearInterval(timer);
  let asked = 0;
  let due = performance.now();
  timer = setInterval(() => {
    for (; due <= performance.now(); due += everyMs) {
      const path = (PATHS[asked % PATHS.length] ?? '').replace('#', String(1 + ((asked * 7919) % users)));
      asked += 1;
      ask(`${url}${path}`, token, due);
    }
  }, everyMs);
}

function ask(url: string, token: string, due: number): void {
  const request = get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
    response.resume();
    response.once('end', () => {
      const status = response.statusCode ?? 0;
      if (status === 200 || status === 404) took.push(performance.now() - due);
      else failed.push(`${url}: ${status}`);
    });
  });
  request.once('error', (error) => {
    // The server ended an idle connection in the moment in which it was taken up again: every client asks once more.
    if (request.reusedSocket && 'code' in error && error.code === 'ECONNRESET') ask(url, token, due);
    else failed.push(`${url}: ${error.message}`);
  });
}

serve<ApiClientApi>(
  {
    begin,
    take: () => {
      const taken = { took, failed };
      took = [];
      failed = [];
      return taken;
    },
  },
  async () => clearInterval(timer),
);
