import type { Fields } from '../codec/codec.ts';

/** One message of the protocol, as data. */
export interface MessageRow {
  /** First byte of the payload. */
  readonly type: number;
  readonly direction: 'to-terminal' | 'to-gateway' | 'both';
  /** The message that answers this one when all is well; none for an answer and for what is not answered. */
  readonly answer?: string;
  /** What the terminal does before it answers: work in memory, or writing to flash. */
  readonly work?: 'memory' | 'flash';
  readonly fields: Fields;
  readonly doc: string;
}
