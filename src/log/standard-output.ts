import { constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { codeOf } from '../net/error.ts';

const stdout = 1;

/**
 * Writes to standard output as `fs.writeSync` does, but fails with EAGAIN where that would wait for a reader. No thread
 * is used for it: one that waits in write(2) would keep the process from ending.
 */
export function standardOutput(): (bytes: Buffer) => number {
  let fd: number | undefined;
  return (bytes) => writeSync((fd ??= openWithoutWaiting()), bytes);
}

/** @throws ENXIO for a pipe that nobody reads; it may be read later */
function openWithoutWaiting(): number {
  const output = fstatSync(stdout);
  // A file makes nobody wait, and its offset may be shared with others who write to it.
  if (output.isFile()) return stdout;
  if (!output.isSocket()) {
    try {
      // Another open file description of the same pipe or terminal. O_NONBLOCK belongs to the description: others who
      // share ours are not disturbed, and can't take the flag from us.
      return openSync(
        `/proc/self/fd/${stdout}`,
        constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
      );
    } catch (error) {
      if (codeOf(error) === 'ENXIO') throw error;
      // No /proc, or the pipe of another user.
    }
  }
  setNonBlocking();
  return stdout;
}

/** Kept, as it would close the descriptor when it is collected. */
let holder: Socket | undefined;

/**
 * A socket can't be opened a second time (systemd's journal is one). Node makes a descriptor non-blocking when it gets
 * one as a stream, and as it was when the process ends; that stream is not used.
 */
function setNonBlocking(): void {
  try {
    holder ??= new Socket({ fd: stdout, readable: false, writable: true });
  } catch {
    // For example a terminal of another user: if non-blocking writes are impossible, the write blocks.
  }
}
