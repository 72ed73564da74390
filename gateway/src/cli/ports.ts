import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SerialPort } from 'serialport';

/** A serial port of this machine. */
export interface PortView {
  readonly path: string;
  readonly manufacturer?: string;
  readonly serialNumber?: string;
}

/** Serial ports as Linux calls them, those of adapters and those of the board. */
const DEVICE = /^tty(USB|ACM|AMA|S|XRUSB|mxc|O)\d+$/;

/**
 * The serial ports of this machine. On Linux serialport asks udevadm; a small system without it still has its devices.
 */
export async function listPorts(): Promise<PortView[]> {
  try {
    const ports = await SerialPort.list();
    return ports.map(({ path, manufacturer, serialNumber }) => ({
      path,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(serialNumber === undefined ? {} : { serialNumber }),
    }));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return readdirSync('/dev')
      .filter((name) => DEVICE.test(name))
      .sort()
      .map((name) => ({ path: join('/dev', name) }));
  }
}
