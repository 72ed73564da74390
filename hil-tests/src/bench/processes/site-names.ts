export const MASTER = 'hq';
export const PASSWORD = 'correct horse battery';

export function siteName(syncId: number): string {
  return `site-${syncId}`;
}
