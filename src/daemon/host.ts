import type { AdminPlace } from '../config/admin.ts';
import type { Observer } from '../events.ts';
import type { InheritedSockets, SocketKeeper } from './inherited-sockets.ts';

/** What the process does that the daemon runs in. */
export interface Host {
  /** Who listens besides the log and the counters. */
  readonly observers?: readonly Observer[];
  /** Where its admin socket is. */
  readonly admin?: AdminPlace | undefined;
  /** A folder of the service's own, which its processes share (RUNTIME_DIRECTORY). */
  readonly runtimeDirectory?: string | undefined;
  /** Sockets that the service manager has bound. */
  readonly sockets?: InheritedSockets;
  /** Keeps the others for the next process. */
  readonly keeper?: SocketKeeper;
  /** Where the values of the configuration are from, by key. */
  readonly origins?: () => ReadonlyMap<string, string>;
  /** Reads the configuration again, and has it followed. @returns as `Daemon.reload` */
  readonly reload?: () => Promise<readonly string[]>;
  /** Ends the process, without `drain-timeout`. @param grace milliseconds; undefined: the configured one */
  readonly drain?: (grace: number | undefined) => void;
  /** Called when it has given up all that a successor needs, and goes on for `drain-timeout`. */
  readonly draining?: () => void;
}
