/** What a terminal measures of the world around it. A test or the dock sets it; nothing of it is kept without power. */
export interface Sensors {
  /** Millivolts; 0 for none. */
  supplyMv: number;
  /** Millivolts; 0 without a battery. */
  batteryMv: number;
  /** 0 to 100. */
  batteryPercent: number;
  /** The housing is open. */
  tamper: boolean;
  /** The door is open. */
  door: boolean;
  /** It sits in its dock. */
  docked: boolean;
}

export const MAINS_MV = 12_000;
const BATTERY_MV = 3_700;
const BATTERY_PERCENT = 80;

/** On the mains, closed and without a battery; a portable one on its battery. */
export function sensors(portable: boolean): Sensors {
  const contacts = { tamper: false, door: false, docked: false };
  return portable
    ? { supplyMv: 0, batteryMv: BATTERY_MV, batteryPercent: BATTERY_PERCENT, ...contacts }
    : { supplyMv: MAINS_MV, batteryMv: 0, batteryPercent: 0, ...contacts };
}
