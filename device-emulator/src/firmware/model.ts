import type { Capabilities } from '@whorl/protocol';

/** What a terminal is by its making. */
export interface Model {
  readonly name: string;
  readonly firmware: string;
  readonly capabilities: Capabilities;
  /** Bytes of what its readers make: one finger template (a finger has two), a face template, a card number. */
  readonly sizes: { readonly finger: number; readonly face: number; readonly card: number };
  /** From power on until it answers, milliseconds. */
  readonly bootMs: number;
}

const everything = { validity: true, pin: true, authMode: true, groups: true, photo: true };

/** Models that a fleet file can name. */
export const MODELS = {
  'finger-10k': {
    name: 'finger-10k',
    firmware: '3.2.0',
    capabilities: {
      users: 10_000,
      logs: 20_000,
      cards: 2,
      fingers: 10,
      faces: 0,
      does: { patches: true, portable: false, clock: true },
      holds: { ...everything, photo: false },
      cardFormats: [1, 2],
      fingerFormats: [1],
      faceFormats: [],
      mtu: 1100,
      window: 1,
    },
    sizes: { finger: 384, face: 0, card: 7 },
    bootMs: 500,
  },
  'card-500': {
    name: 'card-500',
    firmware: '1.8.4',
    capabilities: {
      users: 500,
      logs: 1_000,
      cards: 1,
      fingers: 0,
      faces: 0,
      does: { patches: false, portable: false, clock: false },
      holds: { validity: true, pin: true, authMode: true, groups: true, photo: false },
      cardFormats: [1],
      fingerFormats: [],
      faceFormats: [],
      mtu: 256,
      window: 1,
    },
    sizes: { finger: 0, face: 0, card: 4 },
    bootMs: 200,
  },
  'face-100k': {
    name: 'face-100k',
    firmware: '5.0.1',
    capabilities: {
      users: 100_000,
      logs: 100_000,
      cards: 8,
      fingers: 10,
      faces: 5,
      does: { patches: true, portable: false, clock: true },
      holds: everything,
      cardFormats: [1, 2, 3],
      fingerFormats: [1, 2],
      faceFormats: [1],
      mtu: 1100,
      window: 16,
    },
    sizes: { finger: 384, face: 2048, card: 7 },
    bootMs: 1_000,
  },
  'portable-5k': {
    name: 'portable-5k',
    firmware: '2.1.0',
    capabilities: {
      users: 5_000,
      logs: 20_000,
      cards: 2,
      fingers: 10,
      faces: 1,
      does: { patches: true, portable: true, clock: true },
      holds: everything,
      cardFormats: [1, 2],
      fingerFormats: [1],
      faceFormats: [1],
      mtu: 1100,
      window: 8,
    },
    sizes: { finger: 384, face: 2048, card: 7 },
    bootMs: 1_000,
  },
} as const satisfies Record<string, Model>;

export type ModelName = keyof typeof MODELS;
