import { z } from 'zod';
import { openApi } from './openapi.ts';
import { route } from './route.ts';
import type { Route } from './route.ts';
import { accountRoutes } from './routes/accounts.ts';
import { auditRoutes } from './routes/audit.ts';
import { backupRoutes } from './routes/backups.ts';
import { conflictRoutes } from './routes/conflicts.ts';
import { eventRoutes } from './routes/events.ts';
import { jobRoutes } from './routes/jobs.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { lineRoutes } from './routes/lines.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { registerRoutes } from './routes/registers.ts';
import { sessionRoutes } from './routes/session.ts';
import { settingsRoutes } from './routes/settings.ts';
import { taskRoutes } from './routes/tasks.ts';
import { syncRoutes } from './routes/syncs.ts';
import { siteLockRoutes } from './routes/site-lock.ts';
import { siteReportRoutes } from './routes/site-reports.ts';
import { siteRoutes } from './routes/sites.ts';
import { taskFileRoutes } from './routes/task-files.ts';
import { operatorRoutes } from './routes/operators.ts';
import { terminalRoutes } from './routes/terminals.ts';
import { userRoutes } from './routes/users.ts';
import { vaultRoutes } from './routes/vault.ts';

const routes: readonly Route[] = [
  ...sessionRoutes,
  ...accountRoutes,
  ...auditRoutes,
  ...backupRoutes,
  ...vaultRoutes,
  ...settingsRoutes,
  ...userRoutes,
  ...ledgerRoutes,
  ...jobRoutes,
  ...conflictRoutes,
  ...lineRoutes,
  ...terminalRoutes,
  ...taskRoutes,
  ...taskFileRoutes,
  ...operatorRoutes,
  ...syncRoutes,
  ...registerRoutes,
  ...siteRoutes,
  ...siteLockRoutes,
  ...siteReportRoutes,
  ...eventRoutes,
  ...metricsRoutes,
];

const openApiRoute = route({
  method: 'GET',
  path: '/openapi.json',
  name: 'api.openapi',
  role: 'viewer',
  doc: 'This API as an OpenAPI 3.1 document.',
  answer: z.looseObject({ openapi: z.string() }),
  handle: () => ({ openapi: '', ...openApi(ROUTES) }),
});

/** Everything that can be asked over HTTP. */
export const ROUTES: readonly Route[] = [...routes, openApiRoute];
