import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@whorl/protocol';
import { makeCertificate } from '../../http/certificate.ts';

/** Certificate and key of a broker, as files; valid for a day. @param ahead of today, milliseconds */
export function certified(directory: string, name: string, ahead = 0): { cert: string; key: string } {
  const now = systemClock.wallTime() + ahead;
  const made = makeCertificate({
    ...{ names: [name], from: now - 1000, until: now + 86_400_000 },
    serial: seededRandom(1).bytes(8),
  });
  const files = { cert: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) };
  writeFileSync(files.cert, made.cert);
  writeFileSync(files.key, made.key, { mode: 0o600 });
  return files;
}
