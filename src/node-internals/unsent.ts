import type { Socket } from 'node:net';
import { handleOf } from './handle.ts';
import type { Part } from './part.ts';
import { onSocket } from './trial.ts';

/** Of a connection's handle: how much it was given to write, and how much of that the system has not taken yet. */
interface WriteCounts {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

/**
 * Bytes that were written to a connection and the system has not taken: what Node holds, and what libuv does of a write
 * that the system has taken a part of. Without the handle's counts such a write counts as a whole.
 */
export function unsentBytes(socket: Socket): number {
  const handle = handleOf<WriteCounts>(socket);
  if (!handle) return 0;
  if (!hasCounts(handle)) return socket.writableLength;
  return socket.bytesWritten - handle.bytesWritten + handle.writeQueueSize;
}

function hasCounts(handle: Partial<WriteCounts>): handle is WriteCounts {
  return typeof handle.bytesWritten === 'number' && typeof handle.writeQueueSize === 'number';
}

export const writeCounts: Part = {
  name: 'socket._handle.bytesWritten and writeQueueSize',
  use: 'connections',
  without: 'a write counts as a whole until all of it has left, so replies may wait a little longer',
  isNeeded: false,
  isThere: () => onSocket((socket) => hasCounts(handleOf<WriteCounts>(socket) ?? {})),
};
