import { connect, type Socket } from 'node:net';

/** The server that the relay stands in front of, as it was named. */
export interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** A connection to the server's control port that is being made. */
export interface Dialling {
  /** The connection, paused; rejects with the reason where there is none within the time. */
  readonly connected: Promise<Socket>;
  /** Gives up. */
  abort(): void;
}

/** @param timeout milliseconds */
export function dialUpstream({ host, port }: Upstream, timeout: number): Dialling {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
  socket.pause();
  const connected = new Promise<Socket>((resolve, reject) => {
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
  return {
    connected,
    abort: () => {
      socket.destroy(new Error('given up'));
    },
  };
}
