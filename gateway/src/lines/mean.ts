/** A mean in which the newest sixteen count most. */
export function lately(mean: number | undefined, newest: number): number {
  return mean === undefined ? newest : mean + (newest - mean) / 16;
}
