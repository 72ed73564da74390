import type { Codec, Fields } from '../codec/codec.ts';
import { rowOf } from './message.ts';
import type { Message } from './message.ts';

const MOST_ITEMS = 8;
const MOST_BYTES = 8;

/**
 * A message in one line, for logs and sniffers: `clock.set clock=2026-01-01T00:00:00.000Z`. Times are ISO, bytes are
 * hex and cut short, and of a field marked secret nothing is shown but its length.
 */
export function showMessage(message: Message): string {
  return [message.name, ...members(rowOf(message.name).fields, message.body)].join(' ');
}

/**
 * A message for programs: numbers stay numbers, lists and groups stay whole; bytes and secrets are as in
 * {@link showMessage}.
 */
export function viewMessage(message: Message): { message: string; fields: Record<string, unknown> } {
  return { message: message.name, fields: viewMembers(rowOf(message.name).fields, message.body) };
}

function viewMembers(fields: Fields, value: unknown): Record<string, unknown> {
  const values = new Map(entries(value));
  return Object.fromEntries(
    Object.entries(fields).map(([name, codec]) => [name, viewValue(codec, values.get(name))]),
  );
}

function viewValue(codec: Codec, value: unknown): unknown {
  if (codec.secret === true) return masked(value);
  if (value instanceof Uint8Array) return showBytes(value);
  if (codec.kind === 'list' && Array.isArray(value)) return value.map((one) => viewValue(codec.item, one));
  return codec.kind === 'group' ? viewMembers(codec.fields, value) : value;
}

/** As {@link showMessage}, for the value of any codec. */
export function showValue(codec: Codec, value: unknown): string {
  if (codec.secret === true) return masked(value);
  switch (codec.kind) {
    case 'uint':
      return showNumber(codec.unit, value);
    case 'flags':
      return `{${entries(value)
        .filter(([, set]) => set === true)
        .map(([bit]) => bit)
        .join(' ')}}`;
    case 'text':
      return typeof value === 'string' ? showText(value) : '?';
    case 'blob':
    case 'fixed':
      return value instanceof Uint8Array ? showBytes(value) : '?';
    case 'list':
      return Array.isArray(value) ? showItems(codec.item, value) : '?';
    case 'group':
      return `{${members(codec.fields, value).join(' ')}}`;
    case 'oneOf':
      return String(value);
  }
}

function members(fields: Fields, value: unknown): string[] {
  const values = new Map(entries(value));
  return Object.entries(fields).map(([name, codec]) => `${name}=${showValue(codec, values.get(name))}`);
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}

function masked(value: unknown): string {
  if (value instanceof Uint8Array) return `<secret, ${bytes(value.length)}>`;
  return '<secret>';
}

function showNumber(unit: string | undefined, value: unknown): string {
  if (typeof value !== 'number') return '?';
  if (unit === 'ms UTC') return new Date(value).toISOString();
  if (unit === 's UTC') return new Date(1000 * value).toISOString();
  return unit === undefined ? value.toString() : `${value.toString()} ${unit}`;
}

function showText(value: string): string {
  return printable(JSON.stringify(value));
}

/** Whoever is at the other end wrote this: nothing of it may move the cursor of the window that it is read in. */
export function printable(text: string): string {
  return text.replaceAll(
    /[\p{C}\u2028\u2029]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
  );
}

function showBytes(value: Uint8Array): string {
  const hex = Buffer.from(value.subarray(0, MOST_BYTES)).toString('hex');
  return value.length > MOST_BYTES ? `${hex}… (${bytes(value.length)})` : `0x${hex}`;
}

function showItems(item: Codec, values: readonly unknown[]): string {
  const shown = values.slice(0, MOST_ITEMS).map((value) => showValue(item, value));
  if (values.length > MOST_ITEMS) shown.push(`… ${(values.length - MOST_ITEMS).toString()} more`);
  return `[${shown.join(', ')}]`;
}

function bytes(count: number): string {
  return count === 1 ? '1 byte' : `${count.toString()} bytes`;
}
