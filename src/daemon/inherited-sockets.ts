import { fstatSync } from 'node:fs';

/** Listening sockets that the service manager has bound (sd_listen_fds(3)), as descriptors. */
export interface InheritedSockets {
  /** For control connections in clear. */
  readonly clear: readonly number[];
  /** For control connections that are TLS from their first byte. */
  readonly tls: readonly number[];
  readonly admin: number | undefined;
}

export const noSockets: InheritedSockets = { clear: [], tls: [], admin: undefined };

/** The names that a socket unit gives them: `FileDescriptorName=`. */
const names = { ftp: 'clear', ftps: 'tls', admin: 'admin' } as const;
type Name = keyof typeof names;

/** SD_LISTEN_FDS_START. */
const first = 3;
const allowed = 'FileDescriptorName=ftp, ftps or admin in each socket unit';

/**
 * The sockets that LISTEN_FDS says are there.
 *
 * @param isSocket whether a descriptor is one
 * @throws {Error} one line: what is wrong with them, and what is allowed
 */
export function readInheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
  isSocket: (fd: number) => boolean = isSocketHere,
): InheritedSockets {
  const { LISTEN_PID: forPid, LISTEN_FDS: fds, LISTEN_FDNAMES: fdNames = '' } = env;
  if (fds === undefined || Number(forPid) !== pid) return noSockets;
  if (!/^\d{1,3}$/.test(fds)) throw new Error(`LISTEN_FDS is ${fds}; allowed: a number of sockets`);
  const given = fdNames === '' ? [] : fdNames.split(':');
  if (given.length !== Number(fds))
    throw new Error(
      `the service manager hands over ${fds} sockets with ${given.length} names; allowed: ${allowed}`,
    );
  const byName: Record<Name, number[]> = { ftp: [], ftps: [], admin: [] };
  given.forEach((name, index) => {
    const fd = first + index;
    if (!Object.hasOwn(names, name))
      throw new Error(`the socket ${name} of the service manager is for nothing; allowed: ${allowed}`);
    if (!isSocket(fd)) throw new Error(`descriptor ${fd} (${name}) of the service manager is no socket`);
    byName[name as Name].push(fd);
  });
  if (byName.admin.length > 1)
    throw new Error(`the service manager hands over ${byName.admin.length} admin sockets; allowed: one`);
  return { clear: byName.ftp, tls: byName.ftps, admin: byName.admin[0] };
}

function isSocketHere(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
