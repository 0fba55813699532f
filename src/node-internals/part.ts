/**
 * What of this program uses a part: any connection, TLS, TLS towards clients, certificates that clients show, and several
 * processes.
 */
export type Use = 'connections' | 'tls' | 'tls-clients' | 'client-certificates' | 'workers';

/** Something of Node that its documentation does not promise. */
export interface Part {
  /** As who reads Node's source finds it: `socket._handle.fd`. */
  readonly name: string;
  readonly use: Use;
  /** What does not work without it, or, where it is not needed, what is done in its place. */
  readonly without: string;
  readonly isNeeded: boolean;
  /** Whether this Node has it in the shape that is used here. It may throw where that is not so. Nothing is sent. */
  isThere(): boolean;
}

const known = new Map<Part, boolean>();

/** `isThere`, tried once in a process. */
export function isUsable(part: Part): boolean {
  const before = known.get(part);
  if (before !== undefined) return before;
  let isThere = false;
  try {
    isThere = part.isThere();
  } catch {
    // Another shape.
  }
  known.set(part, isThere);
  return isThere;
}
