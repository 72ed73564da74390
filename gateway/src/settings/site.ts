import type { ModbusBusConfig } from './modbus.ts';

/** What the gateway needs to know of the site: the configuration file, without what only its faces need. */
export interface SiteConfig {
  /** Name of the gateway. */
  readonly name: string;
  /** Where terminals dial in. */
  readonly listen?: { readonly host: string; readonly port: number } | undefined;
  readonly lines: readonly LineConfig[];
  /** None unless given. */
  readonly modbus?: readonly ModbusBusConfig[] | undefined;
}

export interface LineConfig {
  readonly name: string;
  readonly over: LineOver;
  readonly terminals: readonly TerminalConfig[];
}

export type LineOver =
  | {
      readonly kind: 'serial';
      readonly path: string;
      readonly baud: number;
      readonly turnaroundMs: number;
      readonly latencyMs: number;
    }
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly baud?: number | undefined;
      readonly turnaroundMs: number;
      readonly latencyMs: number;
    }
  | { readonly kind: 'dialIn'; readonly serial: string; readonly latencyMs: number };

export interface TerminalConfig {
  readonly name: string;
  /** 1 to 247. */
  readonly address: number;
  /** Access groups that reach it. */
  readonly groups: readonly number[];
}
