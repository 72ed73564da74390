type Write = (data: object, text: string) => void;

/** Where the gateway says what it does, line by line; pino has this shape. Never given a secret or a template. */
export interface Log {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

const nothing: Write = () => undefined;

export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
