import {
  CARD_SLOTS,
  FACE_MAX_BYTES,
  FACE_SLOTS,
  FINGER_SLOTS,
  MTU_MAX,
  MTU_MIN,
  TEMPLATE_MAX_BYTES,
} from '@whorl/protocol';
import { z } from 'zod';
import type { Model } from '../firmware/model.ts';
import { QUIRK_NAMES } from '../firmware/quirks.ts';
import { duration } from '../values/numbers.ts';
import { parseYaml, readYaml } from '../values/yaml.ts';

const MOST_USERS = 1_000_000;
const CARD_NUMBER_MAX_BYTES = 32;
/** A quartz is good to twenty; what is off by more than a thousandth is broken. */
const WORST_DRIFT_PPM = 1_000;

const formats = z.array(z.int().min(0).max(255)).max(16).readonly();

/** What a terminal can hold and do. */
export const capabilities = z.strictObject({
  users: z.int().min(1).max(MOST_USERS),
  logs: z.int().min(1).max(MOST_USERS),
  cards: z.int().min(0).max(CARD_SLOTS),
  fingers: z.int().min(0).max(FINGER_SLOTS),
  faces: z.int().min(0).max(FACE_SLOTS),
  does: z.strictObject({ patches: z.boolean(), portable: z.boolean(), clock: z.boolean() }),
  holds: z.strictObject({
    validity: z.boolean(),
    pin: z.boolean(),
    authMode: z.boolean(),
    groups: z.boolean(),
    photo: z.boolean(),
  }),
  cardFormats: formats,
  fingerFormats: formats,
  faceFormats: formats,
  mtu: z.int().min(MTU_MIN).max(MTU_MAX),
  window: z.int().min(1).max(64),
});

/** Where a terminal or a firmware differs from its model. */
export const differences = capabilities.omit({ holds: true, does: true }).partial().extend({
  does: capabilities.shape.does.partial().optional(),
  holds: capabilities.shape.holds.partial().optional(),
});

export type Differences = z.infer<typeof differences>;

export const quirkList = z.array(z.enum(QUIRK_NAMES)).default([]);

const percent = z.int().min(0).max(100);

const firmware = z.strictObject({
  version: z.string().min(1).max(16),
  quirks: quirkList,
  /** Where it differs from the newest. */
  capabilities: differences.default({}),
});

/** A model file. */
export const modelFile = z
  .strictObject({
    name: z.string().min(1).max(32),
    /** What it is, in a line. */
    doc: z.string().min(1).max(200),
    capabilities,
    sizes: z.strictObject({
      finger: z.int().min(0).max(TEMPLATE_MAX_BYTES),
      face: z.int().min(0).max(FACE_MAX_BYTES),
      card: z.int().min(0).max(CARD_NUMBER_MAX_BYTES),
    }),
    quality: z
      .strictObject({ worst: percent, best: percent })
      .refine(({ worst, best }) => worst <= best, 'the worst is not better than the best')
      .default({ worst: 60, best: 100 }),
    times: z.strictObject({
      boot: duration('from power on until it answers'),
      turnaround: duration('from hearing to speaking; the line’s when not given').optional(),
      store: duration('to store one user').default(0),
      compute: duration('to reckon with keys, for each step of a handshake').default(0),
    }),
    clock: z
      .strictObject({ drift: z.int().min(-WORST_DRIFT_PPM).max(WORST_DRIFT_PPM) })
      .default({ drift: 0 }),
    /** The first is what it comes with. */
    firmware: z.tuple([firmware], firmware),
  })
  .superRefine((file, context) => {
    for (const [kind, slots, size] of [
      ['finger', file.capabilities.fingers, file.sizes.finger],
      ['face', file.capabilities.faces, file.sizes.face],
      ['card', file.capabilities.cards, file.sizes.card],
    ] as const) {
      const known = file.capabilities[`${kind}Formats`].length > 0;
      if (slots > 0 && !known)
        context.addIssue({
          code: 'custom',
          path: ['capabilities', `${kind}Formats`],
          message: `${slots} ${kind} slots, and no format: name one, or give it no slots`,
        });
      if (slots > 0 && size === 0)
        context.addIssue({
          code: 'custom',
          path: ['sizes', kind],
          message: `its readers make nothing: say how many bytes a ${kind} has`,
        });
    }
    const versions = file.firmware.map(({ version }) => version);
    for (const [i, version] of versions.entries())
      if (versions.indexOf(version) < i)
        context.addIssue({ code: 'custom', path: ['firmware', i], message: `${version} is there twice` });
  });

export type ModelFile = z.infer<typeof modelFile>;
type Firmware = z.infer<typeof firmware>;

const KIND = { schema: modelFile, code: 'MODEL_FILE' } as const;

/** Reads a model file. @throws WhorlError MODEL_FILE naming every place that is wrong, as `file:line key.path: what` */
export function readModelFile(path: string): ModelFile {
  return readYaml(KIND, path);
}

/** Checks the text of a model file. @throws WhorlError MODEL_FILE as {@link readModelFile} */
export function parseModelFile(path: string, text: string): ModelFile {
  return parseYaml(KIND, path, text);
}

/** A model with one of its firmwares: the one that it comes with unless named; `undefined` for one that it never had. */
export function modelOf(file: ModelFile, version?: string): Model | undefined {
  if (version === undefined) return firstOf(file);
  const found = file.firmware.find((one) => one.version === version);
  return found === undefined ? undefined : withFirmware(file, found);
}

/** A model with the firmware that it comes with. */
export function firstOf(file: ModelFile): Model {
  return withFirmware(file, file.firmware[0]);
}

function withFirmware(file: ModelFile, found: Firmware): Model {
  const { name, sizes, quality, times, clock } = file;
  return {
    ...{ name, sizes, quality, firmware: found.version },
    capabilities: differing(file.capabilities, found.capabilities),
    ...{ bootMs: times.boot, turnaroundMs: times.turnaround, storeMs: times.store, computeMs: times.compute },
    driftPpm: clock.drift,
    quirks: new Set(found.quirks),
  };
}

/** The file that describes a model with just the firmware that it has. */
export function fileOf(model: Model): ModelFile {
  const { name, sizes, quality, capabilities: held, quirks, firmware: version } = model;
  return {
    ...{ name, doc: name, capabilities: held, sizes, quality },
    times: {
      ...{
        boot: model.bootMs,
        turnaround: model.turnaroundMs,
        store: model.storeMs,
        compute: model.computeMs,
      },
    },
    clock: { drift: model.driftPpm },
    firmware: [{ version, quirks: [...quirks], capabilities: {} }],
  };
}

/** Capabilities with some of them changed. */
export function differing(
  of: Model['capabilities'],
  { holds, does, ...others }: Differences,
): Model['capabilities'] {
  return {
    ...of,
    ...given(others),
    holds: { ...of.holds, ...given(holds ?? {}) },
    does: { ...of.does, ...given(does ?? {}) },
  };
}

/** Only what has been given: a member that is `undefined` would hide the model's. */
function given<T extends object>(members: T): { [Name in keyof T]: Exclude<T[Name], undefined> } {
  const known = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [Name in keyof T]: Exclude<T[Name], undefined> };
}
