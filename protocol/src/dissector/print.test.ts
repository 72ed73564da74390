import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MESSAGE_NAMES, rowOf } from '../messages/message.ts';
import { DISSECTOR_PARTS, dissectorText } from './print.ts';

const text = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

describe('whorl.lua', () => {
  const file = text('../../whorl.lua');

  test('is made of the rows and parts (npm run spec prints it anew)', () => {
    expect(file).toBe(dissectorText(text));
    expect(DISSECTOR_PARTS.every((part) => file.includes(text(part).trimEnd()))).toBe(true);
  });

  test('has every message with its type, and every field', () => {
    for (const name of MESSAGE_NAMES) {
      const { type, fields } = rowOf(name);
      const [, row = ''] = file.split(`[0x${type.toString(16).padStart(2, '0')}] = { name = "${name}"`);
      const own = row.slice(0, row.search(/\n {2}\[0x|\n\}/));
      for (const [field, codec] of Object.entries(fields))
        expect(own).toContain(`{ name = "${field}", kind = "${codec.kind}"`);
    }
  });

  test('G7 knows what is secret', () => {
    expect(file).toMatch(/name = "data", kind = "blob", prefix = 0, max = 1100, secret = true/);
    expect(file.match(/name = "key", kind = "fixed", length = 32, secret = true/g)).toHaveLength(3);
  });
});
