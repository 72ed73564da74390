/** For tests only: generators of messages, made of the catalogue's rows. */
import fc from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { arbitraryValue } from '../codec/arbitrary.ts';
import { CATALOGUE } from './catalogue.ts';
import { MESSAGE_NAMES } from './message.ts';
import type { Message, MessageName } from './message.ts';

/** Messages of one row. */
export function arbitraryMessage(name: MessageName): Arbitrary<Message> {
  const body = arbitraryValue({ kind: 'group', fields: CATALOGUE[name].fields, doc: '' });
  return body.map((body) => ({ name, body }) as unknown as Message);
}

/** Messages of all rows. */
export function arbitraryMessages(): Arbitrary<Message> {
  return fc.oneof(...MESSAGE_NAMES.map(arbitraryMessage));
}
