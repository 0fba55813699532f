import type { DirectoryNode, TreeNode } from '../file-tree.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const halfYear = 182 * 24 * 3600 * 1000;

/** RFC 3659, section 7.8: the facts that MLSD and MLST give, in the order in which they are written. */
export const facts = 'type*;size*;modify*;perm*;unique*;';

/** RFC 3659, section 2.3: `YYYYMMDDHHMMSS`, always UTC. */
export function timeValue(date: Date): string {
  return date.toISOString().replace(/\D/g, '').slice(0, 14);
}

/** One line of LIST, as `ls -l` writes it, without its line end: `-rw-r--r--    1 ftp      ftp ...`. */
export function longLine(name: string, node: TreeNode, now: Date = new Date()): string {
  const { modified } = node;
  const twoDigits = (value: number): string => String(value).padStart(2, '0');
  const recent = Math.abs(now.getTime() - modified.getTime()) < halfYear;
  const time = `${twoDigits(modified.getUTCHours())}:${twoDigits(modified.getUTCMinutes())}`;
  return [
    node.kind === 'directory' ? 'drwxr-xr-x' : '-rw-r--r--',
    String(node.kind === 'directory' ? 2 : 1).padStart(4),
    'ftp      ftp     ',
    String(node.kind === 'directory' ? 4096 : node.content.length).padStart(10),
    months[modified.getUTCMonth()],
    twoDigits(modified.getUTCDate()),
    recent ? time : ` ${modified.getUTCFullYear()}`,
    name,
  ].join(' ');
}

/** RFC 3659, section 7.2: `type=file;size=3;modify=20260102030405;perm=adfrw;unique=7; name`. */
export function factLine(name: string, node: TreeNode): string {
  const isFile = node.kind === 'file';
  // Section 7.5.5: append, delete, rename, read, write; create, enter, list, make directories, purge.
  const perm = isFile ? 'adfrw' : node.id === 0 ? 'celmp' : 'cdeflmp';
  const kind = isFile ? `type=file;size=${node.content.length};` : 'type=dir;';
  return `${kind}modify=${timeValue(node.modified)};perm=${perm};unique=${node.id}; ${name}`;
}

/** The entries of a directory in the order of their bytes. */
export function sortedEntries(directory: DirectoryNode): [string, TreeNode][] {
  return [...directory.children].sort(([a], [b]) => (a < b ? -1 : 1));
}
