import type { ChildProcess } from 'node:child_process';
import { Socket } from 'node:net';
import { handleOf } from './handle.ts';
import type { Part } from './part.ts';
import { onSocket } from './trial.ts';

/**
 * Sends a connection that is paused to a child process, where `receivedConnection` makes a socket of it. Node sends sockets
 * too, but they would be read at once where they arrive, and be closed with the first FIN.
 *
 * @param done is called when it has left, or could not: this process has still to close it then
 */
export function passConnection(
  child: ChildProcess,
  message: object,
  socket: Socket,
  done: (error: Error | null) => void,
): void {
  // The type names what Node documents.
  child.send(message, handleOf(socket) as unknown as Socket, done);
}

/** The connection that came with a message, paused; undefined where none did. */
export function receivedConnection(handle: unknown): Socket | undefined {
  if (typeof handle !== 'object' || handle === null) return undefined;
  const options = { handle, allowHalfOpen: true, pauseOnCreate: true, readable: true, writable: true };
  return new Socket(options);
}

export const passedConnections: Part = {
  name: 'new net.Socket({ handle, pauseOnCreate })',
  use: 'workers',
  without: 'a process cannot pass a connection to another one (workers)',
  isNeeded: true,
  isThere: () =>
    onSocket((socket) => {
      const handle = handleOf<{ readonly reading: boolean }>(socket);
      const received = receivedConnection(handle);
      const isPaused = handle?.reading === false && received?.isPaused() === true;
      return isPaused && handleOf(received) === handle;
    }),
};
