import type { DirectoryNode, TreeNode } from '../file-tree.ts';

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const halfYear = 182 * 24 * 3600 * 1000;

/** RFC 3659, section 7.5: the facts that MLSD and MLST know, in the order in which they are written. */
export const knownFacts = ['type', 'size', 'modify', 'perm', 'unique'] as const;
export type Fact = (typeof knownFacts)[number];

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
export function factLine(name: string, node: TreeNode, facts: ReadonlySet<Fact>): string {
  const isRoot = node.id === 0;
  const values: Record<Fact, string | undefined> = {
    type: node.kind === 'file' ? 'file' : 'dir',
    size: node.kind === 'file' ? String(node.content.length) : undefined,
    modify: timeValue(node.modified),
    // Section 7.5.5: append, delete, rename, read, write; create, enter, list, make directories, purge.
    perm: node.kind === 'file' ? 'adfrw' : isRoot ? 'celmp' : 'cdeflmp',
    unique: String(node.id),
  };
  const written = knownFacts.filter((fact) => facts.has(fact) && values[fact] !== undefined);
  return `${written.map((fact) => `${fact}=${values[fact] ?? ''};`).join('')} ${name}`;
}

/** The entries of a directory in the order of their bytes. */
export function sortedEntries(directory: DirectoryNode): [string, TreeNode][] {
  return [...directory.children].sort(([a], [b]) => (a < b ? -1 : 1));
}
