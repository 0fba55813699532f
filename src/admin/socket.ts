import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { retiredPath } from '../config/admin.ts';
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

/** The process ids that draining processes have named their sockets by, beside this one; some may be dead. */
export function retiredBeside(path: string): number[] {
  const start = `${basename(path)}.`;
  try {
    return readdirSync(dirname(path))
      .filter((name) => name.startsWith(start))
      .map((name) => name.slice(start.length))
      .filter((rest) => /^[1-9]\d{0,8}$/.test(rest))
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return [];
  }
}

/** Removes what draining processes have left that were killed. */
export async function removeDeadBeside(path: string): Promise<void> {
  await Promise.allSettled(retiredBeside(path).map((pid) => takeAway(retiredPath(path, pid))));
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
  await bindAt(server, path, group);
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
    const first = mkdirSync(directory, { recursive: true, mode: 0o750 });
    const gid = groupId(group);
    if (first === undefined || gid === undefined) return;
    // Those above it as well: the group passes through them.
    for (let made = directory; made.length >= first.length; made = dirname(made)) chownSync(made, -1, gid);
  } catch (error) {
    if (codeOf(error) === 'EPERM') return;
    throw new SocketError(`admin: ${directory} cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

let bound = 0;

/**
 * Binds under a name that nobody else has, and then gives it the path: whoever finds something there can connect to it
 * as far as he may. And what Node removes at the server's end is the name that it was bound to, whoever has that by then.
 *
 * @throws {SocketError}
 */
async function bindAt(server: Server, path: string, group: string): Promise<void> {
  const bare = join(dirname(path), `.${process.pid}.${++bound}`);
  rmSync(bare, { force: true });
  // Nobody else may connect before its mode is set.
  const before = process.umask(0o177);
  const listening = once(server, 'listening');
  try {
    server.listen(bare);
  } finally {
    process.umask(before);
  }
  await listening.catch((error: unknown) => {
    const why = messageOf(error).replace(bare, path);
    throw new SocketError(`admin: ${path} cannot be listened on: ${why}`, { cause: error });
  });
  giveToGroup(bare, group);
  try {
    if (link(bare, path)) return;
    await takeAway(path);
    if (!link(bare, path)) throw taken(path);
  } catch (error) {
    server.close();
    throw error;
  } finally {
    // Where it was closed, Node has.
    rmSync(bare, { force: true });
  }
}

/** Gives a socket another name; returns whether that was free. @throws {SocketError} for any other reason */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new SocketError(`admin: ${to} cannot be made: ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Removes what a dead process has left. Another start may do the same at this moment: what is removed is what was tried,
 * and no live socket that has taken its place since.
 *
 * @throws {SocketError} where it is no socket, or a live process has it
 */
async function takeAway(path: string): Promise<void> {
  const tried = lstatSync(path, { throwIfNoEntry: false });
  if (!tried) return;
  await requireDead(path, tried.isSocket());
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw new SocketError(`admin: ${path} cannot be taken over: ${messageOf(error)}`, { cause: error });
  }
  const { ino, mtimeMs } = lstatSync(aside);
  const isTried = ino === tried.ino && mtimeMs === tried.mtimeMs;
  try {
    if (!isTried) link(aside, path);
  } finally {
    unlinkSync(aside);
  }
  if (!isTried) throw taken(path);
}

/** @throws {SocketError} where it is no socket, or a live process has it */
async function requireDead(path: string, isSocket: boolean): Promise<void> {
  if (!isSocket)
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
