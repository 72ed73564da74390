import { expect, test } from 'vitest';
import { isLoopback } from './loopback.ts';
import { brokerPlace, mqttClash, mqttSchema, resolveMqtt } from './mqtt.ts';
import type { MqttConfig } from './mqtt.ts';

const external = { url: 'mqtts://broker.example', user: 'hq', passwordFile: 'mqtt.secret' };

function config(members: object = {}): MqttConfig {
  return mqttSchema.parse({ enabled: true, ...members });
}

test('off unless it is asked for, then on loopback', () => {
  expect(mqttSchema.parse({})).toEqual({ enabled: false, host: '127.0.0.1', port: 1883 });
});

test.each([
  ['mqtt://10.0.0.1', { host: '10.0.0.1', port: 1883, tls: false }],
  ['mqtts://broker.example/', { host: 'broker.example', port: 8883, tls: true }],
  ['mqtts://[::1]:2883', { host: '::1', port: 2883, tls: true }],
])('%s is a place', (url, place) => {
  expect(brokerPlace(url)).toEqual(place);
});

test.each([
  'broker.example',
  'http://broker.example',
  'ws://broker.example',
  'mqtt://',
  'mqtts://user:secret@broker.example',
  'mqtts://broker.example/path',
  'mqtts://broker.example?clientId=a',
])('%s is no broker', (url) => {
  expect(brokerPlace(url)).toBeUndefined();
  expect(mqttSchema.safeParse({ external: { ...external, url } }).success).toBe(false);
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['localhost', true],
  ['127.evil.example', false],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
])('loopback: %s %s', (host, is) => {
  expect(isLoopback(host)).toBe(is);
});

const tls = { cert: 'c.pem', key: 'k.pem' };

test.each([
  ['loopback', {}, undefined],
  ['all addresses with TLS', { host: '0.0.0.0', tls }, undefined],
  ['all addresses in clear', { host: '0.0.0.0' }, 'host'],
  ['a broker elsewhere with TLS', { external }, undefined],
  [
    'a broker elsewhere in clear',
    { external: { ...external, url: 'mqtt://broker.example' } },
    'external.url',
  ],
  ['a broker here in clear', { external: { ...external, url: 'mqtt://localhost' } }, undefined],
  ['off', { enabled: false, host: '0.0.0.0' }, undefined],
])('%s', (_, members, place) => {
  expect(mqttClash(config(members))?.keys.join('.')).toBe(place);
});

test('paths are relative to the configuration file', () => {
  const { tls: files, external: other } = resolveMqtt(
    config({ tls, external: { ...external, ca: '/ca.pem' } }),
    '/etc',
  );
  expect(files).toEqual({ cert: '/etc/c.pem', key: '/etc/k.pem' });
  expect(other).toMatchObject({ passwordFile: '/etc/mqtt.secret', ca: '/ca.pem' });
  expect(resolveMqtt(config(), '/etc')).toEqual(config());
});
