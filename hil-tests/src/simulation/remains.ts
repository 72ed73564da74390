import type { SimulatedMachine } from '../powerloss/machine.ts';
import type { Northbound } from './northbound.ts';

/** Of a template this much is looked for, bytes: no more than chance would bring together anywhere. */
const PIECE = 24;
/** Where in a field a template's own bytes stand, whatever comes before them. */
const INSIDE = 100;

/** @throws Error naming where a template stands in clear. @param templates in base64 */
export function checkTemplates(
  templates: ReadonlySet<string>,
  machine: SimulatedMachine | undefined,
  north: Northbound | undefined,
): void {
  const pieces = [...templates]
    .map((one) => Buffer.from(one, 'base64').subarray(INSIDE, INSIDE + PIECE))
    .filter(({ length }) => length === PIECE);
  const written = pieces.flatMap(inWriting);
  for (const [path, bytes] of machine?.disk.contents() ?? [])
    if ([...pieces, ...written].some((form) => bytes.includes(form)))
      throw new Error(`${path} holds a template`);
  const said = north?.everything() ?? '';
  if (written.some((form) => said.includes(form))) throw new Error('a template was said over MQTT');
}

/** @throws Error naming where a name stands */
export function checkNames(names: ReadonlySet<string>, machine: SimulatedMachine | undefined): void {
  for (const [path, bytes] of machine?.disk.contents() ?? [])
    for (const name of names) if (bytes.includes(name)) throw new Error(`${path} holds ${name}`);
}

/** How it would stand in text: in hexadecimal, and in base64, of which it begins at any of three bytes. */
function inWriting(piece: Buffer): string[] {
  const whole = PIECE - 3;
  return [
    piece.toString('hex'),
    ...[0, 1, 2].map((from) => piece.subarray(from, from + whole).toString('base64')),
  ];
}
