import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, VirtualClock } from '@whorl/protocol';
import { expect, onTestFinished, test } from 'vitest';
import { certified } from '../mqtt/testing/certified.ts';
import { identityOf } from './tls.ts';
import type { Identity } from './tls.ts';

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'whorl-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** What a gateway is known by that starts when its clock shows this time. */
function started(data: string, time: number, tls?: Identity): Identity {
  const config = {
    enabled: true,
    host: '0.0.0.0',
    port: 0,
    names: [],
    ...(tls === undefined ? {} : { tls }),
  };
  return identityOf({ config, data, clock: new VirtualClock(time), random: seededRandom(1) });
}

const NOW = Date.UTC(2027, 4, 1);
const WRONG = [
  ['1970', Date.UTC(1970, 0, 1)],
  ['2099', Date.UTC(2099, 11, 31)],
] as const;

test.each(WRONG)(
  'a gateway that starts first in %s is known by the same certificate later, which is good then',
  (_, wrong) => {
    const data = scratch();
    const { cert } = started(data, wrong);
    const parsed = new X509Certificate(cert);
    for (const time of [wrong, NOW]) {
      expect(parsed.validFromDate.getTime()).toBeLessThan(time);
      expect(parsed.validToDate.getTime()).toBeGreaterThan(time);
    }
    expect(started(data, NOW).cert).toBe(cert);
  },
);

test.each(WRONG)(
  'a clock that shows %s keeps no gateway from starting with the certificate that it made',
  (_, wrong) => {
    const data = scratch();
    const { cert } = started(data, NOW);
    expect(started(data, wrong).cert).toBe(cert);
  },
);

test('a certificate of yours that has expired is refused with the clock that says so', () => {
  const files = certified(scratch(), 'gate.example');
  expect(() => started(scratch(), Date.UTC(2099, 11, 31, 8), files)).toThrow(
    /has expired on .*, by this machine’s clock, which shows 2099-12-31 08:00 UTC/,
  );
});
