import { Socket, type OnReadOpts } from 'node:net';
import { handleOf } from './handle.ts';
import { isUsable, type Part } from './part.ts';
import { onSocket } from './trial.ts';

/**
 * Moves a connection, paused, to a socket that reads into a buffer of its owner's. Node offers this (`onread`) to sockets
 * that connect and not to those that were accepted, so both are moved by their handle; the old socket object is empty
 * afterwards.
 *
 * @returns the socket that has the connection now, paused, which never emits 'data'; undefined where this Node cannot do
 *   that, and nothing has changed
 */
export function readsIntoBuffer(old: Socket, onread: OnReadOpts): Socket | undefined {
  return isUsable(bufferedReads) ? move(old, onread) : undefined;
}

function move(old: Socket, onread: OnReadOpts): Socket {
  const handle = handleOf(old);
  const options = { handle, allowHalfOpen: true, pauseOnCreate: true, onread };
  Object.assign(old, { _handle: null });
  old.removeAllListeners();
  old.destroy();
  return new Socket(options);
}

export const bufferedReads: Part = {
  name: 'new net.Socket({ handle, onread })',
  use: 'connections',
  without:
    'data connections are read in smaller pieces, each into memory of its own, with about half the throughput',
  isNeeded: false,
  isThere: () =>
    onSocket((old) => {
      const handle = handleOf(old);
      let isAsked = false;
      const buffer = (): Buffer => {
        isAsked = true;
        return Buffer.alloc(1);
      };
      const socket = move(old, { buffer, callback: () => true });
      const isMoved = Boolean(handle) && handleOf(socket) === handle && handleOf(old) === null;
      socket.destroy();
      return isMoved && isAsked;
    }),
};
