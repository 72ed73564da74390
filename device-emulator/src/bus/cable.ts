/** What a line hangs on: the adapter or connection between its wire and the gateway, pulled and plugged at will. */
export interface Cable {
  /** Where the gateway finds it, in words. */
  readonly place: string;
  /** Makes the line reachable; harmless when it is. @throws WhorlError with the reason */
  plug(): Promise<void>;
  /** Ends whatever connection there is, and lets none be made; harmless when there is none. */
  unplug(): Promise<void>;
  readonly plugged: boolean;
  /** Calls `told` each time that it has been plugged in or pulled. */
  onTurned(told: (plugged: boolean) => void): void;
}

/** Plugs and unplugs one after the other, however fast they are asked for; each only when it changes something. */
export function cable(place: () => string, ends: { plug(): Promise<void>; unplug(): Promise<void> }): Cable {
  let plugged = false;
  let told: (plugged: boolean) => void = () => undefined;
  let last: Promise<void> = Promise.resolve();
  const turn = (to: boolean): Promise<void> => {
    const mine = last.then(async () => {
      if (plugged === to) return;
      await (to ? ends.plug() : ends.unplug());
      plugged = to;
      told(to);
    });
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    get place() {
      return place();
    },
    plug: () => turn(true),
    unplug: () => turn(false),
    get plugged() {
      return plugged;
    },
    onTurned(listener) {
      told = listener;
    },
  };
}
