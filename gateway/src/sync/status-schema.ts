import { z } from 'zod';
import { DOUBTS } from '../events/catalogue.ts';
import type { LineCounters, PeerCounters } from '../lines/status.ts';
import { runtimeSettingsSchema } from '../settings/runtime.ts';
import type { LedgerState } from '../store/store.ts';
import type { GatewayStatus } from './operations.ts';
import { TROUBLES } from './trouble.ts';
import type { DatabaseTrouble } from './trouble.ts';

const count = z.int().min(0);

const counters = z.strictObject({
  framesIn: count,
  framesOut: count,
  bytesIn: count,
  bytesOut: count,
  framesBad: count,
  framesStray: count,
  bytesDiscarded: count,
  exchanges: count,
  retries: count,
  timeouts: count,
  opened: count,
} satisfies Record<keyof LineCounters, z.ZodType>);

const peerCounters = z.strictObject({
  framesIn: count,
  framesBad: count,
  exchanges: count,
  retries: count,
  timeouts: count,
} satisfies Record<keyof PeerCounters, z.ZodType>);

const ledger = z.strictObject({
  pending: count,
  sending: count,
  verified: count,
  failed: count,
  withheld: count,
} satisfies Record<LedgerState, z.ZodType>);

const line = z.strictObject({
  name: z.string(),
  over: z.string(),
  state: z.enum(['opening', 'open', 'closed']),
  reason: z.string().optional(),
  nextTry: z.int().optional().describe('Milliseconds UTC.'),
  counters,
  duty: z.number().optional().describe('Share of the time in which bytes were on their way, 0 to 1.'),
  roundTripMs: z.number().optional(),
  waiting: count.describe('Jobs that wait for the line.'),
} satisfies Record<keyof GatewayStatus['lines'][number], z.ZodType>);

const terminal = z.strictObject({
  name: z.string(),
  line: z.string(),
  address: z.int(),
  groups: z.array(z.int()).readonly(),
  state: z.enum(['online', 'offline', 'quarantined']),
  reason: z.string().optional(),
  serial: z.string().optional(),
  model: z.string().optional(),
  firmware: z.string().optional(),
  unknown: z
    .enum(DOUBTS)
    .optional()
    .describe('Why it is not known what it holds, until it has been compared.'),
  users: count.optional(),
  capacity: count.optional(),
  clockOffMs: z.number().optional().describe('When its clock was looked at last; positive is ahead.'),
  lastSeen: z.int().optional().describe('Milliseconds UTC.'),
  roundTripMs: z.number().optional(),
  counters: peerCounters,
  ledger,
} satisfies Record<keyof GatewayStatus['terminals'][number], z.ZodType>);

const database = z.strictObject({
  code: z.enum(TROUBLES),
  reason: z.string(),
  since: z.int().describe('Milliseconds UTC.'),
  waiting: count.describe('Users whose last change is at a terminal only, as far as is known.'),
  nextTry: z.int().describe('Milliseconds UTC.'),
} satisfies Record<keyof DatabaseTrouble, z.ZodType>);

/** {@link GatewayStatus}, for those who say it to programs. */
export const statusSchema = z.strictObject({
  gateway: z.string(),
  version: z.string(),
  started: z.int().describe('Milliseconds UTC.'),
  settings: runtimeSettingsSchema,
  users: count,
  lines: z.array(line).readonly(),
  terminals: z.array(terminal).readonly(),
  openPulls: count,
  openConflicts: count.describe('That nobody has decided yet.'),
  database: database.optional().describe('Absent while it can be written.'),
} satisfies Record<keyof GatewayStatus, z.ZodType>);
