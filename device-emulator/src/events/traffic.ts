import { BROADCAST, decodeRun, directionOf, Runs, wireMs } from '@whorl/protocol';
import type { Clock, Crossed, Decoded } from '@whorl/protocol';
import type { RunningLine } from '../bus/line.ts';
import type { Happened } from './event.ts';
import type { EventLog } from './event-log.ts';

type Frame = Extract<Happened, { kind: 'frame' }>;

/** Tells of all that crosses a line from now on. @returns what ends that */
export function tellTraffic(line: RunningLine, log: EventLog, clock: Clock): () => void {
  const startMs = clock.wallTime() - clock.now();
  const names = new Map([...line.terminals].map(([name, { address }]) => [address, name]));
  const { baud } = line.medium;
  const runs = new Runs(baud === undefined ? 0 : 1000 * wireMs(1, baud), (crossed) => {
    log.tellFrame(crossed.timeUs / 1000, () => frameOf(line.name, crossed, names));
  });
  return line.medium.tap((bytes, fromGateway, { noise, endMs }) => {
    const direction = fromGateway ? 'to-terminal' : noise ? undefined : 'to-gateway';
    runs.push(bytes, 1000 * (startMs + endMs), direction);
  });
}

function frameOf(line: string, crossed: Crossed, names: ReadonlyMap<number, string>): Frame {
  const decoded = decodeRun(crossed.bytes);
  const { address, message, form } = contentOf(decoded);
  const terminal = address === null ? undefined : names.get(address);
  return {
    kind: 'frame',
    line,
    ...(terminal === undefined ? {} : { terminal }),
    direction: directionOf(decoded) ?? crossed.direction ?? null,
    address,
    message,
    form,
    bytes: crossed.bytes.length,
  };
}

function contentOf(decoded: Decoded): Pick<Frame, 'address' | 'message' | 'form'> {
  switch (decoded.kind) {
    case 'plain':
    case 'opened':
      return { address: decoded.header.address, message: decoded.message.name, form: 'plain' };
    case 'sealed':
      return { address: decoded.header.address, message: null, form: 'sealed' };
    case 'invitation':
      return { address: BROADCAST, message: decoded.kind, form: 'short' };
    case 'hand':
    case 'here':
      return { address: decoded.address, message: decoded.kind, form: 'short' };
    case 'nothing':
      return { address: null, message: null, form: 'short' };
    case 'damaged':
      return { address: decoded.header?.address ?? null, message: null, form: 'damaged' };
  }
}
