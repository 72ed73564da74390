/** A satellite's way to its master: what is sent may be lost, doubled or late; its order is kept. */
export interface SatelliteWire {
  send(bytes: Uint8Array): Promise<void>;
  /** Why it ended, once it has. */
  readonly closed: Promise<string>;
  close(): void;
}

/** Opens it; `quiet` for a look only, of which nobody is told. @throws WhorlError MQTT_*, SITES_LINK */
export type OpenSatelliteWire = (
  onMessage: (bytes: Uint8Array) => void,
  signal: AbortSignal,
  options?: { readonly quiet: boolean },
) => Promise<SatelliteWire>;

/** A master's way to all its satellites. */
export interface MasterWire {
  send(syncId: number, bytes: Uint8Array): Promise<void>;
}

/** Who hears what comes over it. */
export interface MasterEars {
  message(syncId: number, bytes: Uint8Array): void;
  /** Whether a satellite is at the broker; its last will says when it is not. */
  presence(syncId: number, online: boolean): void;
}
