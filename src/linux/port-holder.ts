import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A process, by its id and the name of its program. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/**
 * The process that listens at a TCP port of this host, whatever the address. undefined where that is this process, where several
 * do, and where it may not be known: processes of others are shown to root alone.
 */
export function holderOfPort(port: number): PortHolder | undefined {
  try {
    const tables = ['tcp', 'tcp6'].map((name) => readIfThere(`/proc/net/${name}`));
    const sockets = new Set(tables.flatMap((table) => listenersAt(table, port)));
    const pids = sockets.size === 0 ? [] : readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const [holder, ...others] = pids.filter((pid) => hasOneOf(pid, sockets)).map(Number);
    if (holder === undefined || others.length > 0 || holder === process.pid) return undefined;
    return { pid: holder, name: nameOf(holder) };
  } catch {
    // No /proc.
    return undefined;
  }
}

/**
 * The listening sockets at a port, by inode, as /proc/net/tcp has them (proc(5)):
 *
 *      0: 0100007F:0015 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 53210 1 ...
 */
export function listenersAt(table: string, port: number): string[] {
  const at = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode] = line.trim().split(/\s+/);
    return state === '0A' && inode !== undefined && local.endsWith(`:${at}`) ? [inode] : [];
  });
}

function hasOneOf(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        const [, inode = ''] = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? [];
        return sockets.has(inode);
      } catch {
        return false;
      }
    });
  } catch {
    // Another user's, or gone.
    return false;
  }
}

/** That of its program: what it calls its main thread is another matter (`MainThread` with Node 24). */
function nameOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, '');
  } catch {
    return readIfThere(`/proc/${pid}/comm`).trim();
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
