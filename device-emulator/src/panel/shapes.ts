import { z } from 'zod';
import { detailsView, lineView, moduleView, terminalView } from '../control/views.ts';
import type { DisplayView } from '../control/views.ts';

// No code is made at run time: the page's policy forbids it.
z.config({ jitless: true });

export { detailsView, lineView, moduleView, terminalView };

const faultView = z.object({
  name: z.string(),
  doc: z.string(),
  field: z.string(),
  noticed: z.object({ as: z.string(), withinMs: z.number() }),
  wellMs: z.number(),
  options: z.record(z.string(), z.string()),
  /** As a JSON schema; of it only what each is unless given. */
  parameters: z.object({
    properties: z
      .record(z.string(), z.looseObject({ default: z.unknown().optional(), anyOf: z.unknown().optional() }))
      .default({}),
  }),
  lasts: z.boolean(),
  wire: z.boolean(),
});

/** What can go wrong, and what does. */
export const faultsView = z.object({
  active: z.array(z.object({ fault: z.string(), on: z.string() })),
  line: z.array(faultView),
  terminal: z.array(faultView),
});

export const refusalView = z.object({ message: z.string(), remedy: z.string().default('') });

export type Line = Readonly<z.infer<typeof lineView>>;
export type Module = Readonly<z.infer<typeof moduleView>>;
export type Terminal = Readonly<z.infer<typeof terminalView>>;
export type Details = Readonly<z.infer<typeof detailsView>>;
export type Fault = Readonly<z.infer<typeof faultView>>;
export type Active = Readonly<z.infer<typeof faultsView>['active'][number]>;
export type Display = DisplayView;
