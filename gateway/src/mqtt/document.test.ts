import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EVENT_TYPES } from '../events/catalogue.ts';
import { COMMANDS } from './commands.ts';
import { mqttSchemas, withTables } from './document.ts';

const MANUAL = readFileSync(new URL('../../MQTT.md', import.meta.url), 'utf8');

test('G5 the tables of MQTT.md are those of the rows (npm run spec prints them anew)', () => {
  expect(withTables(MANUAL)).toBe(MANUAL);
});

test.each(['topics', 'events', 'commands', 'errors'])('MQTT.md has the table of %s', (name) => {
  expect(MANUAL).toContain(`<!-- rows: ${name} -->`);
});

test('a marker that names no table is told', () => {
  expect(() => withTables('<!-- rows: nothing --><!-- end -->')).toThrow('nothing');
});

test('G5 every topic has a JSON schema, and every command one of its answer', () => {
  const schemas = mqttSchemas();
  for (const topic of ['state', 'lines/<line>/state', 'terminals/<terminal>/state', 'errors'])
    expect(schemas[`whorl/<gateway>/${topic}`]?.payload.type).toBe('object');
  for (const type of EVENT_TYPES)
    expect(schemas[`whorl/<gateway>/events/${type.replaceAll('.', '/')}`]?.payload.properties).toMatchObject({
      type: { const: type },
    });
  for (const name of COMMANDS.keys()) {
    const schema = schemas[`whorl/<gateway>/commands/${name}`];
    expect(schema?.direction).toBe('taken');
    expect(schema?.payload).toMatchObject({ additionalProperties: false });
    expect(schema?.answer).toBeDefined();
  }
  expect(JSON.parse(JSON.stringify(schemas))).toEqual(schemas);
});
