import type { IncomingMessage } from 'node:http';
import { sleep, systemClock, WhorlError } from '@whorl/protocol';
import { z } from 'zod';
import type { Logins, Login } from './logins.ts';
import { remoteSend } from './transport.ts';
import type { Outgoing, Send } from './transport.ts';

/** A token is renewed this long before it expires, milliseconds. */
const MARGIN_MS = 30_000;
/** How often it is looked whether it is time, milliseconds. */
const RENEWAL_MS = 10_000;
/** How long another command of the same person may take to write down what it renewed. */
const LOOKS = 20;
const LOOK_MS = 100;

const sessionSchema = z.object({
  name: z.string(),
  role: z.string(),
  token: z.string(),
  expires: z.number(),
  refresh: z.string(),
  ends: z.number(),
});

/** What `POST /login` and `POST /refresh` answer, and the certificate that it was asked through. */
export function loginOf(answer: unknown, fingerprint: string | undefined): Login {
  return { ...sessionSchema.parse(answer), ...(fingerprint === undefined ? {} : { fingerprint }) };
}

/** To a gateway where somebody is logged in; renews the session when it is time. @throws WhorlError LOGIN_NEEDED */
export function loggedInSend(url: URL, logins: Logins): Send {
  return async (outgoing) => {
    const login = await current(url, logins);
    const headers = { ...outgoing.headers, authorization: `Bearer ${login.token}` };
    const answer = await remoteSend(url, login.fingerprint)({ ...outgoing, headers });
    keepAlive(answer, url, logins);
    return answer;
  };
}

/** An answer without end lasts as long as the session, which is renewed while it is read. */
function keepAlive(answer: IncomingMessage, url: URL, logins: Logins): void {
  if (!/ndjson|event-stream/.test(answer.headers['content-type'] ?? '')) return;
  let cancel = (): void => undefined;
  const wait = (): void => {
    cancel = systemClock.after(RENEWAL_MS, () => {
      // The gateway ends the answer when this has failed for good.
      void current(url, logins)
        .catch(() => undefined)
        .finally(() => {
          if (!answer.closed) wait();
        });
    });
  };
  wait();
  answer.once('close', () => {
    cancel();
  });
}

async function current(url: URL, logins: Logins): Promise<Login> {
  const login = logins.get(url);
  if (login === undefined)
    throw new WhorlError('LOGIN_NEEDED', `nobody is logged in at ${url.origin} from here`);
  if (login.expires - MARGIN_MS > systemClock.wallTime()) return login;
  const body = JSON.stringify({ refresh: login.refresh });
  const answer = await remoteSend(url, login.fingerprint)(posting('/refresh', body));
  if (answer.statusCode === 200) {
    const renewed = loginOf(JSON.parse(await textOf(answer)), login.fingerprint);
    logins.set(url, renewed);
    return renewed;
  }
  answer.resume();
  for (let look = 0; look < LOOKS; look += 1) {
    const other = logins.get(url);
    if (other !== undefined && other.token !== login.token) return other;
    await sleep(systemClock, LOOK_MS);
  }
  throw new WhorlError('LOGIN_NEEDED', `the session at ${url.origin} has ended`);
}

/** A JSON request. */
export function posting(path: string, body: string): Outgoing {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return { method: 'POST', path, headers, body };
}

export async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer) text += String(piece);
  return text;
}
