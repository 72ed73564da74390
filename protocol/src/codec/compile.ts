import { WhorlError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Codec, Fields, Values } from './codec.ts';
import { decodeSource, encodeSource } from './source.ts';
import { readText, writeText } from './text.ts';

/** Encoder and decoder of one row. */
export interface Compiled<T> {
  /**
   * Writes the fields of `value` into `out` from `at` on.
   * @returns the position behind them
   * @throws WhorlError MESSAGE_RANGE for a value outside its field's range, MESSAGE_LONG when `out` is too short
   */
  encode(value: T, out: Uint8Array, at: number): number;
  /**
   * Reads the fields between `at` and `end`; blobs are views of `bytes`, not copies.
   * @throws WhorlError MESSAGE_SHORT, MESSAGE_LONG, MESSAGE_RANGE naming row and field
   */
  decode(bytes: Uint8Array, at: number, end: number): T;
}

/**
 * Compiles fields to straight-line code, as ajv and avsc do: an interpreter of closures is 2 to 4 times slower.
 * The source is made of our own rows only, never of input.
 * @param name of the row, for errors
 */
export function compile<F extends Fields>(name: string, fields: F): Compiled<Values<F>> {
  return compileValue(name, { kind: 'group', fields, doc: '' });
}

/** As {@link compile}, for a single value instead of named fields. */
export function compileValue<T>(name: string, codec: Codec): Compiled<T> {
  const functions = {
    encode: build(name, 'value, out, at', encodeSource(codec)),
    decode: build(name, 'bytes, at, end', decodeSource(codec)),
  };
  return functions as Compiled<T>;
}

function build(name: string, parameters: string, body: string): unknown {
  const fail = (code: ErrorCode, field: string): never => {
    throw new WhorlError(code, `${name}${field}`);
  };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- straight-line code from our own rows
  return new Function(
    'fail',
    'readText',
    'writeText',
    `'use strict'; return (${parameters}) => {\n${body}\n};`,
  )(fail, readText, writeText);
}
