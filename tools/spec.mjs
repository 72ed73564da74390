// Prints the tables of protocol/SPEC.md and gateway/MQTT.md and METRICS.md, protocol/test-vectors.json and protocol/whorl.lua anew from
// the rows that the code runs on.
import { readFileSync, writeFileSync } from 'node:fs';
import { withTables as withMetricTables } from '../gateway/src/metrics/document.ts';
import { withTables as withMqttTables } from '../gateway/src/mqtt/document.ts';
import { dissectorText } from '../protocol/src/dissector/print.ts';
import { withTables } from '../protocol/src/spec/print.ts';
import { vectorsText } from '../protocol/src/spec/vectors.ts';

const spec = new URL('../protocol/SPEC.md', import.meta.url);
writeFileSync(spec, withTables(readFileSync(spec, 'utf8')));
writeFileSync(new URL('../protocol/test-vectors.json', import.meta.url), vectorsText());
writeFileSync(
  new URL('../protocol/whorl.lua', import.meta.url),
  dissectorText((name) =>
    readFileSync(new URL(`../protocol/src/dissector/${name}`, import.meta.url), 'utf8'),
  ),
);

const mqtt = new URL('../gateway/MQTT.md', import.meta.url);
writeFileSync(mqtt, withMqttTables(readFileSync(mqtt, 'utf8')));

const metrics = new URL('../gateway/METRICS.md', import.meta.url);
writeFileSync(metrics, withMetricTables(readFileSync(metrics, 'utf8')));
