import { connect, type Socket } from 'node:net';

/** The server that the relay stands in front of, as it was named. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/**
 * Dials the server's control port.
 *
 * @param timeout milliseconds
 * @returns the connection, paused
 * @throws when there is no connection within the time; the message says why
 */
export function connectUpstream({ host, port }: Upstream, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    socket.pause();
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no answer from ${host} port ${port} in ${timeout / 1000} s`));
    }, timeout);
    const failed = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    socket.once('error', failed);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}
