import { resolve } from 'node:path';

export const SERIAL_PATH =
  'Serial port; `whorl ports` lists them. One that begins with a dot counts from the folder of this file.';

/** A port as it is opened, whatever folder the gateway is started in. @param directory of the configuration file */
export function resolveSerial<Serial extends { readonly path: string }>(
  serial: Serial,
  directory: string,
): Serial {
  return serial.path.startsWith('.') ? { ...serial, path: resolve(directory, serial.path) } : serial;
}
