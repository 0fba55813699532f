import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { groupId } from '../linux/accounts.ts';
import { codeOf, messageOf } from '../net/error.ts';

/** A socket whose path cannot be had, in one line. */
export class SocketError extends Error {}

/** Where a unix socket is, and who besides this user may use it. */
export interface SocketPlace {
  readonly path: string;
  /** The name of a group; one that is not there is none. */
  readonly group: string;
}

/** A socket that this process has bound. */
export interface OwnSocket {
  /** Gives the path up for a successor: the socket is beside it from then on. */
  retire(): void;
  /** To be called after the server's end. */
  remove(): void;
}

/** Where a draining process has its socket. */
function retiredPath(path: string, pid: number): string {
  return `${path}.${pid}`;
}

/** What the path of a socket may be long (`sun_path` of unix(7), with its NUL). */
const longestPath = 107;
/** How long a live process may take to accept a connection, in milliseconds. */
const patience = 1000;

/**
 * Listens on a unix socket that this user and the group may use (0660). What a dead process has left there is taken
 * over.
 *
 * @throws {SocketError}
 */
export async function listenOnSocket(server: Server, { path, group }: SocketPlace): Promise<OwnSocket> {
  if (Buffer.byteLength(path) > longestPath)
    throw new SocketError(`admin: ${path} is longer than ${longestPath} bytes; allowed: a shorter path`);
  makeDirectory(path, group);
  if (!(await bind(server, path))) {
    await requireDead(path);
    unlinkSync(path);
    if (!(await bind(server, path))) throw taken(path);
  }
  giveToGroup(path, group);
  const { ino } = lstatSync(path);
  let now = path;
  const isOurs = (): boolean => {
    try {
      // Somebody else may have taken the path over.
      return lstatSync(now).ino === ino;
    } catch {
      return false;
    }
  };
  return {
    retire: () => {
      const aside = retiredPath(path, process.pid);
      if (!isOurs() || Buffer.byteLength(aside) > longestPath) return;
      try {
        renameSync(path, aside);
        now = aside;
      } catch {
        // Another user by now (`user`): the successor finds a live socket there.
      }
    },
    remove: () => {
      try {
        if (isOurs()) unlinkSync(now);
      } catch {
        // Another user by now (`user`): the next start takes it over.
      }
    },
  };
}

/** Whoever may not give it to the group keeps it: bound, it is this user's alone. */
function giveToGroup(path: string, group: string): void {
  const gid = groupId(group);
  try {
    // Nobody but root needs chown for a group that the process has.
    if (gid !== undefined && gid !== process.getegid?.()) chownSync(path, -1, gid);
    chmodSync(path, 0o660);
  } catch {
    // It stays 0600.
  }
}

/** Only a folder of its own: `/run/pinhole` is gone after a boot. */
function makeDirectory(path: string, group: string): void {
  const directory = dirname(path);
  try {
    const made = mkdirSync(directory, { recursive: true, mode: 0o750 });
    const gid = groupId(group);
    if (made !== undefined && gid !== undefined) chownSync(directory, -1, gid);
  } catch (error) {
    if (codeOf(error) === 'EPERM') return;
    throw new SocketError(`admin: ${directory} cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

/** Returns whether the path could be had: something may be there. @throws {SocketError} for any other reason */
function bind(server: Server, path: string): Promise<boolean> {
  // Nobody else may connect in the moment before its mode is set.
  const before = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(before);
  }
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      server.off('listening', listening);
      if (codeOf(error) === 'EADDRINUSE') resolve(false);
      else
        reject(
          new SocketError(`admin: ${path} cannot be listened on: ${messageOf(error)}`, { cause: error }),
        );
    };
    const listening = (): void => {
      server.off('error', failed);
      resolve(true);
    };
    server.once('error', failed).once('listening', listening);
  });
}

/** @throws {SocketError} where it is no socket, or a live process has it */
async function requireDead(path: string): Promise<void> {
  if (!lstatSync(path).isSocket())
    throw new SocketError(`admin: ${path} is there and is no socket; allowed: a path that is free`);
  const code = await new Promise<unknown>((resolve) => {
    const probe = connect(path);
    probe.setTimeout(patience, () => {
      probe.destroy();
      resolve('ETIMEDOUT');
    });
    probe.once('connect', () => {
      probe.destroy();
      resolve(undefined);
    });
    probe.once('error', (error) => {
      resolve(codeOf(error));
    });
  });
  if (code !== 'ECONNREFUSED' && code !== 'ENOENT') throw taken(path);
}

function taken(path: string): SocketError {
  return new SocketError(
    `admin: another process listens on ${path}; allowed: a path of this one's own, or off`,
  );
}
