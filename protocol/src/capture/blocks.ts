/*
 * pcapng (draft-ietf-opsawg-pcapng): blocks of type, length, body and length again, each padded to four bytes. Options
 * at a body's end are number, length and value, padded likewise.
 */

export const SECTION_HEADER = 0x0a0d0d0a;
export const INTERFACE_DESCRIPTION = 1;
export const ENHANCED_PACKET = 6;
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type and both lengths around a body. */
export const BLOCK_FRAME_BYTES = 12;

export const SECTION_APPLICATION = 4;
export const INTERFACE_NAME = 2;
export const INTERFACE_SPEED = 8;
export const INTERFACE_RESOLUTION = 9;
export const INTERFACE_OFFSET = 14;
export const PACKET_FLAGS = 2;

/** Bits 0 and 1 of a packet's flags, as the gateway sees it. */
export const INBOUND = 1;
export const OUTBOUND = 2;

export function padded(length: number): number {
  return 4 * Math.ceil(length / 4);
}
