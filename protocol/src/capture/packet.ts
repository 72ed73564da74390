/** Which way bytes went; nobody's when something else drove the line, or when it cannot be told. */
export type Direction = 'to-terminal' | 'to-gateway';

/** A line as a capture knows it: an interface. */
export interface CapturedLine {
  readonly name: string;
  /** Bits a second; none where bytes take no time. */
  readonly baud?: number | undefined;
}

/**
 * SPEC: captures. What crossed a line up to and including a delimiter, as it was on the wire: a stuffed frame, or
 * noise. Bytes that were cut off by something else lack the delimiter.
 */
export interface Crossed {
  /** When its last byte had arrived, microseconds since 1970 UTC. */
  readonly timeUs: number;
  readonly direction: Direction | undefined;
  readonly bytes: Uint8Array;
}

/** A {@link Crossed} as it stands in a capture. */
export interface CapturedPacket extends Crossed {
  readonly line: CapturedLine;
  /** What the packets of this interface are; ours are {@link LINK_TYPE}. */
  readonly linkType: number;
  /** Bytes that the packet had on the wire, when the capture holds fewer of them. */
  readonly originalLength: number;
}

/** DLT_USER0: kept free for private use. */
export const LINK_TYPE = 147;
