/** What stands in the field that an event is about; empty when it is none. */
export function valueOf({ target }: Event): string {
  return target instanceof HTMLElement && 'value' in target && typeof target.value === 'string'
    ? target.value
    : '';
}

/** A time of day as an installer reads it, `14:03:07.250`. @param time milliseconds UTC */
export function clockTime(time: number): string {
  const at = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  const seconds = `${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${two(at.getHours())}:${two(at.getMinutes())}:${seconds}`;
}
