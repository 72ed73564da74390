import { join } from 'node:path';
import { WhorlError } from '@whorl/protocol';
import type { Model } from '../firmware/model.ts';
import { suggest } from '../values/suggest.ts';
import { modelOf, readModelFile } from './file.ts';
import type { ModelFile } from './file.ts';

const FOLDER = join(import.meta.dirname, '../../models');

export const MODEL_NAMES = ['card-500', 'finger-10k', 'face-100k', 'portable-5k'] as const;

export type ModelName = (typeof MODEL_NAMES)[number];

/** What a terminal is that nothing else is said of. */
const USUAL: ModelName = 'finger-10k';

const files = new Map<string, ModelFile>(
  MODEL_NAMES.map((name) => [name, readModelFile(join(FOLDER, `${name}.yaml`))]),
);

/** The models that are shipped, each with the firmware that it comes with. */
export const MODELS: Readonly<Record<ModelName, Model>> = {
  'card-500': modelNamed('card-500'),
  'finger-10k': modelNamed('finger-10k'),
  'face-100k': modelNamed('face-100k'),
  'portable-5k': modelNamed('portable-5k'),
};

export function isModelName(text: string): text is ModelName {
  return files.has(text);
}

/** Whether it names a file, as opposed to a model that is shipped. */
export function isModelPath(text: string): boolean {
  return /[/\\]|\.(ya?ml|json)$/.test(text);
}

/**
 * A model file by the name of a model that is shipped, or by its path.
 * @throws WhorlError MODEL_UNKNOWN, MODEL_FILE
 */
export function modelFileOf(name: string): ModelFile {
  const found = files.get(name);
  if (found !== undefined) return found;
  if (isModelPath(name)) return readModelFile(name);
  throw new WhorlError('MODEL_UNKNOWN', `no model is called ${name}; ${suggest(name, MODEL_NAMES)}`);
}

/**
 * A model by name or path; {@link USUAL} unless given.
 * @param firmware the one that it comes with unless given
 * @throws WhorlError MODEL_UNKNOWN, MODEL_FILE
 */
export function modelNamed(name: string = USUAL, firmware?: string): Model {
  const file = modelFileOf(name);
  const model = modelOf(file, firmware);
  if (model !== undefined) return model;
  const versions = file.firmware.map(({ version }) => version);
  throw new WhorlError(
    'MODEL_UNKNOWN',
    `${file.name} has no firmware ${firmware ?? ''}; ${suggest(firmware ?? '', versions)}`,
  );
}
