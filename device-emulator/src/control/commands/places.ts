import { z } from 'zod';
import type { Client } from '../client.ts';

const names = z.array(z.looseObject({ name: z.string() }));

/** What kind of thing is called so; a terminal when nothing is known to be, so that the emulator says who there is. */
export async function areaOf(client: Client, target: string): Promise<'lines' | 'modules' | 'terminals'> {
  const [lines, modules] = await Promise.all([client.get('/lines', names), client.get('/modules', names)]);
  const isOne = ({ name }: { readonly name: string }): boolean => name === target;
  return lines.some(isOne) ? 'lines' : modules.some(isOne) ? 'modules' : 'terminals';
}
