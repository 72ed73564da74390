/** The gateway, for those who put one together themselves: rigs, the demonstration. */
export type { Gateway, GatewayParts } from './gateway.ts';
export { startGateway } from './gateway.ts';
export type { StoredEvent } from './events/catalogue.ts';
export { EVENTS } from './events/catalogue.ts';
export type { OpenTransport, Transport, TransportEvents } from './lines/transport.ts';
export type { Log } from './settings/log.ts';
export { silentLog } from './settings/log.ts';
export type { LineConfig, SiteConfig, TerminalConfig } from './settings/site.ts';
export type { LedgerRow, Pairing, Store } from './store/store.ts';
export { openStore } from './store/open.ts';
export { restore as restoreBackup } from './store/restore.ts';
export type { Service } from './service.ts';
export { startService } from './service.ts';
export type { Config } from './settings/config.ts';
export { loadConfig } from './settings/config.ts';
export type { CompareOptions, CompareReport } from './sync/resolve.ts';
export { makeLog } from './cli/log.ts';
export type { Connection, Files, Ground, Statement } from './store/ground.ts';
