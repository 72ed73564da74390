/** A satellite's way to its master: what is sent may be lost, doubled or late; its order is kept. */
export interface SatelliteWire {
  send(bytes: Uint8Array): Promise<void>;
  /** Lets the master know that the satellite is there, and, by the last will, once it is no more. */
  announce(): Promise<void>;
  /** Why it ended, once it has. */
  readonly closed: Promise<string>;
  close(): void;
}

/** Opens it; nobody is told yet. `beside` leaves another one of this process alone. @throws WhorlError MQTT_*, SITES_LINK */
export type OpenSatelliteWire = (
  onMessage: (bytes: Uint8Array) => void,
  signal: AbortSignal,
  options?: { readonly beside: boolean },
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
