import { crc32 } from 'node:zlib';
import { WhorlError } from '../errors.ts';
import { HEADER_BYTES, readHeader, writeHeader } from '../frame/frame.ts';
import type { Session } from './session.ts';

const CRC_BYTES = 4;

/** Frames as they are, with a CRC-32 against noise. Whoever listens can read them. */
export const plainSession: Session = {
  sealed: false,
  headBytes: HEADER_BYTES,
  overhead: HEADER_BYTES + CRC_BYTES,

  seal(header, buffer, length) {
    writeHeader(header, false, buffer);
    const end = HEADER_BYTES + length;
    const crc = crc32(buffer.subarray(0, end));
    buffer[end] = crc;
    buffer[end + 1] = crc >>> 8;
    buffer[end + 2] = crc >>> 16;
    buffer[end + 3] = crc >>> 24;
    return end + CRC_BYTES;
  },

  open(frame) {
    const header = readHeader(frame);
    const end = frame.length - CRC_BYTES;
    if (end <= HEADER_BYTES)
      throw new WhorlError('FRAME_TOO_SHORT', `a frame of ${frame.length.toString()} bytes`);
    const crc = crc32(frame.subarray(0, end));
    const stored =
      ((frame[end] ?? 0) |
        ((frame[end + 1] ?? 0) << 8) |
        ((frame[end + 2] ?? 0) << 16) |
        ((frame[end + 3] ?? 0) << 24)) >>>
      0;
    if (crc !== stored)
      throw new WhorlError('FRAME_CHECKSUM', `a frame for address ${header.address.toString()}`);
    if (header.sealed)
      throw new WhorlError(
        'FRAME_SEALED',
        `a sealed frame on the plain session of address ${header.address.toString()}`,
      );
    return { ...header, payload: frame.subarray(HEADER_BYTES, end), fresh: true };
  },

  tag(number, head) {
    const check = crc32(head, crc32(Uint8Array.of(number, number >>> 8, number >>> 16, number >>> 24)));
    const tag = new Uint8Array(8);
    new DataView(tag.buffer).setUint32(0, check, true);
    new DataView(tag.buffer).setUint32(4, ~check >>> 0, true);
    return tag;
  },
};
