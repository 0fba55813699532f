import { posix } from 'node:path';
import { isCompletion } from '../ftp/reply.ts';
import { isListing } from '../ftp/transfer.ts';

/** A command that went to the server. */
interface Sent {
  readonly verb: string;
  readonly argument: string;
}

/** How long a path may be to be remembered, in bytes: PATH_MAX of Linux. */
const longestPath = 4096;

const changes: ReadonlySet<string> = new Set(['CWD', 'XCWD', 'CDUP', 'XCUP']);

export function isDirectoryChange({ verb }: Pick<Sent, 'verb'>): boolean {
  return changes.has(verb);
}

/**
 * A session's working directory after a final reply, as far as the dialogue tells; undefined: not known. Bytes, one
 * character each.
 *
 * @param text the first line of the reply
 */
export function directoryAfter(
  directory: string | undefined,
  { verb, argument }: Sent,
  code: number,
  text: string,
): string | undefined {
  if (!isCompletion(code)) return directory;
  if (verb === 'PWD' || verb === 'XPWD') return code === 257 ? quotedPath(text) : directory;
  if (changes.has(verb)) return absolutePath(verb.endsWith('WD') ? argument : '..', directory);
  // Another user begins in another directory (RFC 959 section 4.1.1).
  return verb === 'REIN' || code === 230 || code === 232 ? undefined : directory;
}

/**
 * The path of a file as the server sees it; undefined where it depends on a directory that is not known. Links are not
 * followed: the server alone knows them.
 */
export function absolutePath(path: string, directory: string | undefined): string | undefined {
  const isAbsolute = /^(?:\/|[A-Za-z]:[\\/])/.test(path);
  if (!isAbsolute && (directory === undefined || path.startsWith('~'))) return undefined;
  const whole = posix.normalize(isAbsolute ? path : `${directory}/${path}`);
  const ended = whole.length > 1 ? whole.replace(/\/$/, '') : whole;
  return ended.length > longestPath ? undefined : ended;
}

/** What a transfer command names: of a listing without its options (`LIST -la pub`), which are no part of RFC 959. */
export function pathOf({ verb, argument }: Sent): string {
  return isListing({ verb }) ? argument.replace(/^\s*(?:-\S*(?:\s+|$))+/, '') : argument;
}

/** RFC 959 appendix II: `257 "directory" ...`, a quotation mark within it is doubled. */
function quotedPath(text: string): string | undefined {
  const [, quoted] = /^257[ -]"((?:[^"]|"")*)"/.exec(text) ?? [];
  const path = quoted?.replaceAll('""', '"');
  return path === undefined || path === '' ? undefined : absolutePath(path, undefined);
}
