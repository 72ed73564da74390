import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprintOf, makeCertificate } from './certificate.ts';

const YEAR = 365 * 86_400_000;

test('G6 a self-made certificate is sound, and good for its names and addresses only', () => {
  const from = Date.UTC(2026, 0, 1);
  const names = ['gate.example', '192.0.2.7', '2001:db8::7', '::1'];
  const { cert, key } = makeCertificate({
    names,
    from,
    until: from + 10 * YEAR,
    serial: Buffer.alloc(16, 0xab),
  });
  const parsed = new X509Certificate(cert);
  expect(parsed.verify(parsed.publicKey)).toBe(true);
  expect(parsed.fingerprint256).toBe(fingerprintOf(cert));
  expect(parsed.checkHost('gate.example')).toBe('gate.example');
  expect(parsed.checkHost('other.example')).toBeUndefined();
  for (const address of names.slice(1)) expect(parsed.checkIP(address)).toBe(address);
  expect(parsed.checkIP('192.0.2.8')).toBeUndefined();
  expect(parsed.validFromDate.getTime()).toBe(from);
  expect(parsed.validToDate.getTime()).toBe(from + 10 * YEAR);
  expect(parsed.ca).toBe(false);
  expect(parsed.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
});

test('G6 whatever serial and names, the certificate is one', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 20 }),
      fc.array(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 0, max: 200 }),
      (serial, names, years) => {
        const parsed = new X509Certificate(
          makeCertificate({ names, serial, from: 0, until: years * YEAR + 1000 }).cert,
        );
        return parsed.verify(parsed.publicKey);
      },
    ),
    { numRuns: 60 },
  );
});
