import type { Server, Socket } from 'node:net';
import { handleOf } from './handle.ts';
import type { Part } from './part.ts';
import { onSocket } from './trial.ts';

interface WithDescriptor {
  readonly fd: number;
}

/** The descriptor of a connection or a listener; undefined where it is closed. */
export function descriptorOf(holder: Socket | Server): number | undefined {
  const fd = handleOf<WithDescriptor>(holder)?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

export const descriptors: Part = {
  name: 'socket._handle.fd',
  use: 'connections',
  without: 'a reset cannot be told from the end of a file, nor what was delivered from what was sent',
  isNeeded: true,
  isThere: () => onSocket((socket) => typeof handleOf<WithDescriptor>(socket)?.fd === 'number'),
};
