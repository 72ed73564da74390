import type { Port } from '@whorl/device-emulator';
import { codeOf, DELIMITER, FrameSplitter, stuff, stuffedMax, unstuff } from '@whorl/protocol';

/** What crosses the wire where it was cut: a frame, its stuffing undone, and who said it. */
export interface Crossing {
  readonly frame: Uint8Array;
  readonly fromGateway: boolean;
}

/** What is said instead of a frame, in its direction or back to where it came from. */
export interface Instead {
  readonly on?: readonly Uint8Array[];
  readonly back?: readonly Uint8Array[];
}

/** What is done with a frame: passed on as it is (`undefined`), or something else said instead. */
export type Act = (crossing: Crossing) => Instead | undefined;

/** Somebody who cut the wire between gateway and terminals: hears each frame, and may hold it back, change it, add to it. */
export class Between {
  /** What is done at the moment. */
  act: Act = () => undefined;
  readonly #ears: ((crossing: Crossing) => void)[] = [];

  /** Tells of all that crosses, before anything is done with it. */
  listen(ear: (crossing: Crossing) => void): void {
    this.#ears.push(ear);
  }

  /** @param port the gateway's end; @returns what the terminals' end hangs on instead */
  join(port: Port): Port {
    const away = new FrameSplitter();
    const home = new FrameSplitter();
    let listener: (bytes: Uint8Array) => void = () => undefined;
    const towards = (fromGateway: boolean, wire: Uint8Array): void => {
      if (fromGateway) listener(wire);
      else port.write(wire);
    };
    const judge = (bytes: Uint8Array, fromGateway: boolean): void => {
      (fromGateway ? away : home).push(bytes, (stuffed) => {
        const instead = this.#judged(stuffed, fromGateway);
        if (instead === undefined) towards(fromGateway, Buffer.concat([stuffed, Uint8Array.of(DELIMITER)]));
        for (const frame of instead?.on ?? []) towards(fromGateway, wireOf(frame));
        for (const frame of instead?.back ?? []) towards(!fromGateway, wireOf(frame));
      });
    };
    port.onBytes((bytes) => {
      judge(bytes, true);
    });
    return {
      onBytes(heard) {
        listener = heard;
      },
      onClosed(closed) {
        port.onClosed(closed);
      },
      write(bytes) {
        judge(bytes, false);
      },
      close: () => port.close(),
    };
  }

  #judged(stuffed: Uint8Array, fromGateway: boolean): Instead | undefined {
    const frame = unstuffed(stuffed);
    if (frame === undefined) return undefined;
    for (const ear of this.#ears) ear({ frame, fromGateway });
    return this.act({ frame, fromGateway });
  }
}

/** A frame as it goes over the wire. */
export function wireOf(frame: Uint8Array): Uint8Array {
  const wire = new Uint8Array(stuffedMax(frame.length));
  return wire.subarray(0, stuff(frame, frame.length, wire, 0));
}

/** @returns `undefined` for what is damaged */
function unstuffed(stuffed: Uint8Array): Uint8Array | undefined {
  try {
    return new Uint8Array(unstuff(stuffed));
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}
