import { counted } from '@whorl/protocol';
import type { FleetEvent } from '../events/event.ts';

const PLACE_WIDTH = 16;
const KIND_WIDTH = 10;

/** An event in a line: when, where, what. */
export function showEvent(event: FleetEvent): string {
  const time = new Date(event.time).toISOString().slice(11, 23);
  const place = placeOf(event);
  return `${time}  ${place.padEnd(PLACE_WIDTH)}  ${event.kind.padEnd(KIND_WIDTH)}  ${wordsOf(event)}`.trimEnd();
}

function placeOf(event: FleetEvent): string {
  if (event.kind === 'missed') return '';
  if (event.kind === 'module') return event.module;
  return event.terminal ?? event.line;
}

function wordsOf(event: FleetEvent): string {
  switch (event.kind) {
    case 'display':
      return `[${event.led}] ${event.lines.filter((row) => row !== '').join(' | ')}`;
    case 'enrolment':
      return `${event.step}: user ${event.user}, ${event.credential}, ${event.reading} of ${event.readings}`;
    case 'identified':
    case 'denied':
      return whoOf(event.user, event.credential);
    case 'log':
      return `#${event.log} ${event.what}, ${event.user === 0 ? '' : `user ${event.user}, `}by ${event.origin}`;
    case 'door':
    case 'power':
    case 'dock':
    case 'plug':
      return stateOf(event);
    case 'sensors':
      return sensorsOf(event);
    case 'fault':
      return `${event.fault} ${event.active ? 'begins' : 'ends'}`;
    case 'frame':
      return `${arrowOf(event.direction)} ${event.message ?? event.form}, ${counted(event.bytes, 'byte')}`;
    case 'module':
      return moduleOf(event);
    case 'missed':
      return `what happened after ${event.after} is not kept any more`;
  }
}

function stateOf(event: Extract<FleetEvent, { kind: 'door' | 'power' | 'dock' | 'plug' }>): string {
  if (event.kind === 'power') return event.power;
  if (event.kind === 'door') return event.released ? 'released' : 'locked';
  if (event.kind === 'dock') return event.docked ? 'docked' : 'carried';
  return event.plugged ? 'plugged in' : 'unplugged';
}

function moduleOf({ register, value, alive }: Extract<FleetEvent, { kind: 'module' }>): string {
  if (register !== undefined && value !== undefined) return `${register} ${value}`;
  return alive ? 'on' : 'off';
}

function sensorsOf(event: Extract<FleetEvent, { kind: 'sensors' }>): string {
  const { supplyMv, batteryMv, batteryPercent, tamper, door } = event;
  const battery = batteryMv === 0 ? [] : [`battery ${batteryMv} mV, ${batteryPercent} %`];
  const contacts = [...(tamper ? ['housing open'] : []), ...(door ? ['door open'] : [])];
  return [`supply ${supplyMv} mV`, ...battery, ...contacts].join(', ');
}

function whoOf(user: number, credential: string): string {
  return `${user === 0 ? 'a stranger' : `user ${user}`}${credential === '' ? '' : `, ${credential}`}`;
}

function arrowOf(direction: 'to-terminal' | 'to-gateway' | null): string {
  return direction === null ? '·' : direction === 'to-terminal' ? '→' : '←';
}
