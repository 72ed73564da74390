import { QUIRKS } from '../firmware/quirks.ts';
import type { QuirkName } from '../firmware/quirks.ts';
import { MODEL_NAMES, modelFileOf } from '../models/built-in.ts';
import type { ModelFile } from '../models/file.ts';
import { indented, table } from './show.ts';

/** A model with its quirks explained, for programs. */
export type ToldModel = Omit<ModelFile, 'firmware'> & {
  readonly firmware: readonly (Omit<ModelFile['firmware'][number], 'quirks'> & {
    readonly quirks: readonly { readonly name: QuirkName; readonly doc: string; readonly field: string }[];
  })[];
};

/**
 * Models to be told of: the one that is named, by name or path, or all that are shipped.
 * @throws WhorlError MODEL_UNKNOWN, MODEL_FILE
 */
export function tellModels(name?: string): readonly ToldModel[] {
  const files = (name === undefined ? MODEL_NAMES : [name]).map(modelFileOf);
  return files.map((file) => ({
    ...file,
    firmware: file.firmware.map((one) => ({ ...one, quirks: one.quirks.map(told) })),
  }));
}

function told(name: QuirkName): ToldModel['firmware'][number]['quirks'][number] {
  const { doc, field } = QUIRKS[name];
  return { name, doc, field };
}

/** Models as a table. */
export function showModels(models: readonly ToldModel[]): string {
  const rows = models.map(({ name, capabilities, firmware, doc }) => [
    name,
    String(capabilities.users),
    String(capabilities.logs),
    firmware.map(({ version }) => version).join(' '),
    doc,
  ]);
  const titles = ['model', 'users', 'log', 'firmware, newest first', ''];
  return `${table([titles, ...rows])}\n\nwhorl-emulator models NAME tells all about one.`;
}

/** All about one model. */
export function showModel(model: ToldModel): string {
  const { name, doc, capabilities, sizes, quality, times, clock, firmware } = model;
  const slots = (['card', 'finger', 'face'] as const).map((kind) => {
    const formats = capabilities[`${kind}Formats`];
    const count = capabilities[`${kind}s`];
    return [
      `${kind}s`,
      count === 0 ? 'none' : `${count} of ${sizes[kind]} bytes, formats ${formats.join(' ')}`,
    ];
  });
  const held = Object.entries(capabilities.holds).filter(([, holds]) => holds);
  const does = Object.entries(capabilities.does).filter(([, can]) => can);
  const ms = (time: number | undefined): string => (time === undefined ? 'the line’s' : `${time} ms`);
  const facts = [
    ['users', String(capabilities.users)],
    ['log', `${capabilities.logs} records`],
    ...slots,
    ['quality', `${quality.worst} to ${quality.best} %`],
    ['holds', held.map(([what]) => what).join(' ')],
    ['does', does.map(([what]) => what).join(' ') || 'nothing more'],
    ['frames', `up to ${capabilities.mtu} bytes, ${capabilities.window} at once on TCP`],
    ['starts in', ms(times.boot)],
    ['turns in', ms(times.turnaround)],
    ['stores a user in', ms(times.store)],
    ['reckons a handshake in', ms(times.compute)],
    ['clock', `${clock.drift} ppm fast`],
  ];
  return [`${name}: ${doc}`, indented(table(facts)), ...firmware.map(showFirmware)].join('\n');
}

function showFirmware({ version, quirks, capabilities }: ToldModel['firmware'][number]): string {
  const differs = Object.entries(capabilities).map(([what, value]) => `${what} ${JSON.stringify(value)}`);
  const lines = [
    ...(differs.length === 0 ? [] : [`differs: ${differs.join(', ')}`]),
    ...quirks.flatMap((quirk) => [`${quirk.name}: ${quirk.doc}`, `  ${quirk.field}`]),
  ];
  return `\nFirmware ${version}\n${indented(lines.length === 0 ? 'as the protocol says' : lines.join('\n'))}`;
}
