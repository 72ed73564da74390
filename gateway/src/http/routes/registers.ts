import { REGISTER_KINDS } from '@whorl/protocol';
import type { RegisterKind } from '@whorl/protocol';
import { z } from 'zod';
import { route } from '../route.ts';
import { text } from '../schemas.ts';

const register = z.strictObject({
  name: z.string(),
  kind: z.enum(Object.keys(REGISTER_KINDS) as [RegisterKind, ...RegisterKind[]]),
  address: z.int(),
  value: z.number().optional().describe('Scaled; 0 or 1 of bits; absent before it was read.'),
  unit: z.string().optional(),
  writable: z.boolean(),
});

/** What is read by Modbus: of terminals (supply, battery, contacts) and of modules. */
export const registerRoutes = [
  route({
    method: 'GET',
    path: '/registers',
    name: 'registers.list',
    role: 'viewer',
    doc: 'What is read by Modbus, of terminals and modules, as it was read last.',
    answer: z
      .array(
        z.strictObject({
          name: z.string(),
          bus: z.string(),
          unit: z.int(),
          terminal: z.boolean(),
          state: z.enum(['waiting', 'answering', 'silent']),
          reason: z.string().optional(),
          readAt: z.int().optional().describe('Milliseconds UTC.'),
          registers: z.array(register).readonly(),
        }),
      )
      .readonly(),
    handle: (_asked, { operations }) => operations.registers(),
  }),
  route({
    method: 'PUT',
    path: '/registers/:of/:register',
    name: 'registers.write',
    role: 'operator',
    doc: 'Sets a register of a module that the configuration lets people set: a relay. Answers what it is then, read back.',
    params: z.object({ of: text, register: text }),
    detail: ({ body }) => body,
    body: z.strictObject({ value: z.number() }),
    answer: z.strictObject({ value: z.number() }),
    handle: async ({ params, body }, { operations }) => ({
      value: await operations.writeRegister(params.of, params.register, body.value),
    }),
  }),
];
