/** Terminals that stand in for hardware: firmware, shared lines, fleets. */
export type { Enrolment, UserFields } from './firmware/enrolment.ts';
export type { Flash } from './firmware/flash.ts';
export { MemoryFlash, PowerCut } from './firmware/flash.ts';
export { diskFlash } from './firmware/disk.ts';
export type { Model, ModelName } from './firmware/model.ts';
export { MODELS } from './firmware/model.ts';
export type { Edit, Tap } from './firmware/panel.ts';
export { Terminal } from './firmware/terminal.ts';
export type { MediumCounters } from './bus/medium.ts';
export { Medium } from './bus/medium.ts';
export { memoryPair } from './bus/memory.ts';
export type { Port } from './bus/port.ts';
export { hasPty, openPty } from './bus/pty.ts';
export type { Cable } from './bus/tcp.ts';
export { diallingCable, listeningCable } from './bus/tcp.ts';
export type { FleetConfig } from './fleet/config.ts';
export { fleetSchema, readFleet } from './fleet/config.ts';
export { Fleet, startFleet } from './fleet/fleet.ts';
