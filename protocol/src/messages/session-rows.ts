import { fixed, text, u32 } from '../codec/codec.ts';
import { PAIRING_ID_BYTES, SHARE_BYTES } from '../session/cpace.ts';
import { HANDSHAKE_BYTES, KEY_BYTES, KEY_ID_BYTES } from '../session/noise.ts';
import type { MessageRow } from './row.ts';

/** What is said to get to know each other: before there is a session, and as the first in it. */
export const SESSION_ROWS = {
  discover: {
    type: 0x04,
    direction: 'to-terminal',
    answer: 'present',
    work: 'memory',
    fields: {},
    doc: 'In plain: asks who answers to this address. Changes nothing.',
  },
  present: {
    type: 0x84,
    direction: 'to-gateway',
    fields: {
      serial: text('Serial number, unique in the world.', 32),
      key: fixed(
        'Names the pairing key that it has, all zeros for none: the first bytes of its SHA-256.',
        KEY_ID_BYTES,
      ),
    },
    doc: 'In plain: who is there. Not proven.',
  },
  'session.open': {
    type: 0x05,
    direction: 'to-terminal',
    answer: 'session.accept',
    work: 'memory',
    fields: { handshake: fixed('First message of the handshake.', HANDSHAKE_BYTES) },
    doc: 'In plain: begins a session under the pairing key. An older session stands until a frame of the new one has come.',
  },
  'session.accept': {
    type: 0x85,
    direction: 'to-gateway',
    fields: { handshake: fixed('Second message of the handshake.', HANDSHAKE_BYTES) },
    doc: 'In plain: what the gateway needs for the session’s keys.',
  },
  'pair.begin': {
    type: 0x07,
    direction: 'to-terminal',
    answer: 'pair.share',
    work: 'memory',
    fields: {
      id: fixed('Of this try, chosen anew for each.', PAIRING_ID_BYTES),
      share: fixed('The gateway’s share.', SHARE_BYTES),
    },
    doc: 'In plain: begins a pairing with the code that the terminal shows.',
  },
  'pair.share': {
    type: 0x87,
    direction: 'to-gateway',
    fields: { share: fixed('The terminal’s share.', SHARE_BYTES) },
    doc: 'In plain: what the gateway needs for the common key.',
  },
  'pair.open': {
    type: 0x08,
    direction: 'to-terminal',
    answer: 'pair.accept',
    work: 'memory',
    fields: { handshake: fixed('First message of the handshake.', HANDSHAKE_BYTES) },
    doc: 'In plain: begins a session under the common key, which proves that both had the same code.',
  },
  'pair.accept': {
    type: 0x88,
    direction: 'to-gateway',
    fields: { handshake: fixed('Second message of the handshake.', HANDSHAKE_BYTES) },
    doc: 'In plain: the other half of that proof.',
  },
  'pair.key': {
    type: 0x09,
    direction: 'to-terminal',
    answer: 'pair.kept',
    work: 'flash',
    fields: { key: fixed('The pairing key from now on.', KEY_BYTES, { secret: true }) },
    doc: 'In the session of a pairing, and only there: the key that sessions are opened under.',
  },
  'pair.kept': { type: 0x89, direction: 'to-gateway', fields: {}, doc: 'The key is in flash.' },
  'group.set': {
    type: 0x06,
    direction: 'to-terminal',
    answer: 'group.taken',
    work: 'memory',
    fields: {
      key: fixed('Key of the line for broadcasts, as it is at this counter.', KEY_BYTES, { secret: true }),
      next: u32('Counter of the next broadcast: none below it is fresh.'),
    },
    doc: 'Hands over the key that broadcasts are sealed under from now on; it is forgotten with the session.',
  },
  'group.taken': { type: 0x86, direction: 'to-gateway', fields: {}, doc: 'The key is in use.' },
} as const satisfies Record<string, MessageRow>;
