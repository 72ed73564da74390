import type { FieldValue, Random } from '@whorl/protocol';
import type { Model } from './model.ts';

/** What a terminal's readers make of a person: random bytes of the model's format and size. */

export function readFinger(model: Model, random: Random): FieldValue<'finger.0'> {
  return {
    format: model.capabilities.fingerFormats[0] ?? 0,
    quality: quality(model, random),
    first: random.bytes(model.sizes.finger),
    second: random.bytes(model.sizes.finger),
  };
}

export function readFace(model: Model, random: Random): FieldValue<'face.0'> {
  return {
    format: model.capabilities.faceFormats[0] ?? 0,
    quality: quality(model, random),
    template: random.bytes(model.sizes.face),
  };
}

/** @param number of the card that is held to the reader; any other one when not given */
export function readCard(model: Model, random: Random, number?: Uint8Array): FieldValue<'card.0'> {
  return {
    format: model.capabilities.cardFormats[0] ?? 0,
    number: number ?? random.bytes(model.sizes.card),
  };
}

function quality({ quality: { worst, best } }: Model, random: Random): number {
  return worst + random.below(best + 1 - worst);
}
