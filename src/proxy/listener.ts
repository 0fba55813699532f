import type { Server, Socket } from 'node:net';
import { addressOfSocket } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { listenAt, type BoundSocket } from '../net/listen.ts';
import { socketCalls } from '../linux/socket-calls.ts';
import { descriptorOf } from '../node-internals/descriptor.ts';

export interface Listener {
  readonly endpoint: Endpoint;
  /** undefined: it is closed. */
  readonly fd: number | undefined;
  /** Stops accepting; accepted connections continue. */
  close(): void;
}

/** For each client, in bytes: some commands. Thousands who send and are not read would take a hundred times as much. */
const receiveBuffer = 8192;

function limitReceive(server: Server): void {
  const fd = descriptorOf(server);
  if (fd !== undefined) socketCalls()?.receiveBuffer(fd, receiveBuffer);
}

/**
 * Listens for control connections.
 *
 * @param where an address of this host's or a wildcard, and a port; or a socket that is bound already
 * @param accept gets each connection paused, with `allowHalfOpen`
 * @throws NodeJS.ErrnoException when the endpoint can't be had
 */
export function listen(where: Endpoint | BoundSocket, accept: (socket: Socket) => void): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const server = listenAt(where, accept);
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      limitReceive(server);
      // For example out of descriptors: that connection is lost, the next may succeed.
      server.on('error', () => undefined);
      let endpoint;
      try {
        endpoint = endpointOf(server) ?? where;
      } catch (error) {
        // A socket that was bound already, at an interface that is gone.
        server.close();
        reject(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if ('fd' in endpoint) {
        server.close();
        reject(new Error('it is no socket of TCP'));
        return;
      }
      resolve({
        endpoint,
        get fd() {
          return descriptorOf(server);
        },
        close: () => {
          server.close();
        },
      });
    });
  });
}

/** @returns undefined where it is no socket of TCP. @throws where the system cannot tell */
function endpointOf(server: Server): Endpoint | undefined {
  const bound = server.address();
  if (bound === null || typeof bound !== 'object') return undefined;
  const address = addressOfSocket(bound.address);
  return address && { address, port: bound.port };
}
