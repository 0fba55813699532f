import type { Socket } from 'node:net';
import { handleOf } from './handle.ts';
import type { Part } from './part.ts';
import { onSocket } from './trial.ts';

/** Acts when a connection closes, whatever closes it, while its descriptor is still there: before Node's own part of that. */
export function beforeClose(socket: Socket, act: () => void): void {
  const destroy = socket._destroy.bind(socket);
  socket._destroy = (error, done) => {
    act();
    destroy(error, done);
  };
}

export const closing: Part = {
  name: 'socket._destroy',
  use: 'connections',
  without: 'what a client has not got yet is not known once its connection is closed here',
  isNeeded: true,
  isThere: () =>
    onSocket((socket) => {
      let isBefore = false;
      beforeClose(socket, () => (isBefore = Boolean(handleOf(socket))));
      socket.destroy();
      return isBefore;
    }),
};
