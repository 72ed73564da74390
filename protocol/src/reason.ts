/** What the operating system says, without its own abbreviations. */
export function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'no such file or folder';
    case 'ENOTDIR':
      return 'a part of the path is no folder';
    case 'EROFS':
      return 'the disk is read-only';
    case 'EACCES':
    case 'EPERM':
      return 'not permitted';
    case 'EISDIR':
      return 'is a folder';
    case 'ENOSPC':
      return 'the disk is full';
    default:
      return cause instanceof Error ? cause.message : String(cause);
  }
}
