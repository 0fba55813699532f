import { fstatSync } from 'node:fs';
import type { Endpoint } from '../net/endpoint.ts';

/** Listening sockets that the service manager has bound (sd_listen_fds(3)), as descriptors. */
export interface InheritedSockets {
  /** For control connections in clear. */
  readonly clear: readonly number[];
  /** For control connections that are TLS from their first byte. */
  readonly tls: readonly number[];
  readonly admin: number | undefined;
  /** That a process before this one has bound, and had it keep: by name, and one may be there twice. */
  readonly kept: readonly KeptSocket[];
}

export interface KeptSocket {
  readonly name: string;
  readonly fd: number;
}

/** Keeps listening sockets for the next process. */
export interface SocketKeeper {
  keep(name: string, fd: number): void;
  /** Clients are refused from now on. @param fd the same socket here, where there is one */
  forget(name: string, fd: number | undefined): void;
}

export const noSockets: InheritedSockets = { clear: [], tls: [], admin: undefined, kept: [] };

const keptPrefix = 'listen-';

/** The name under which a listening socket is kept: `listen-21-0.0.0.0`. There are no colons in it (sd_notify(3)). */
export function keptName({ address, port }: Endpoint): string {
  return `${keptPrefix}${port}-${address.replaceAll(':', '_')}`;
}

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
  const kept: KeptSocket[] = [];
  given.forEach((name, index) => {
    const fd = first + index;
    const isKept = name.startsWith(keptPrefix);
    if (!isKept && !Object.hasOwn(names, name))
      throw new Error(`the socket ${name} of the service manager is for nothing; allowed: ${allowed}`);
    if (!isSocket(fd)) throw new Error(`descriptor ${fd} (${name}) of the service manager is no socket`);
    if (isKept) kept.push({ name, fd });
    else byName[name as Name].push(fd);
  });
  if (byName.admin.length > 1)
    throw new Error(`the service manager hands over ${byName.admin.length} admin sockets; allowed: one`);
  return { clear: byName.ftp, tls: byName.ftps, admin: byName.admin[0], kept };
}

function isSocketHere(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}
