import { connect, type Socket } from 'node:net';
import { codeOf } from './error.ts';

/** Where a connection is to come from; what is not given, the system chooses. */
export interface LocalEnd {
  readonly address?: string;
  readonly port?: number;
}

/** A connection that is being made. */
export interface Dialling {
  /**
   * The connection, paused and with `allowHalfOpen`; rejects with the reason where there is none within the time.
   */
  readonly connected: Promise<Socket>;
  /** Gives up. */
  abort(): void;
}

/**
 * Connects to a host, an address or a name.
 *
 * @param timeout milliseconds, for all tries together
 * @param locals where to connect from: the first that this host can have at the moment is taken
 */
export function dial(
  to: { readonly host: string; readonly port: number },
  timeout: number,
  locals: readonly LocalEnd[] = [{}],
): Dialling {
  let current: Socket | undefined;
  let givenUp: Error | undefined;
  const giveUp = (error: Error): void => {
    givenUp ??= error;
    current?.destroy(error);
  };
  const timer = setTimeout(() => {
    giveUp(new Error(`no answer from ${to.host} port ${to.port} in ${timeout / 1000} s`));
  }, timeout);

  const attempt = async ([local, ...others]: readonly LocalEnd[]): Promise<Socket> => {
    try {
      return await new Promise((resolve, reject) => {
        current = connectFrom(
          to,
          local,
          (socket) => {
            // From now on it is its owner's.
            current = undefined;
            resolve(socket);
          },
          reject,
        );
      });
    } catch (error) {
      if (givenUp || others.length === 0 || !isLocal(error)) throw givenUp ?? error;
      return attempt(others);
    }
  };
  return {
    connected: attempt(locals).finally(() => {
      clearTimeout(timer);
    }),
    abort: () => {
      giveUp(new Error('given up'));
    },
  };
}

function connectFrom(
  { host, port }: { readonly host: string; readonly port: number },
  local: LocalEnd = {},
  connected: (socket: Socket) => void,
  failed: (error: Error) => void,
): Socket {
  const socket = connect({
    host,
    port,
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    ...(local.address !== undefined && { localAddress: local.address }),
    ...(local.port !== undefined && { localPort: local.port }),
  });
  socket.pause();
  socket.on('error', failed);
  socket.once('connect', () => {
    socket.off('error', failed);
    connected(socket);
  });
  return socket;
}

/** Whether a connection failed on this side, for want of the local endpoint. */
function isLocal(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EPERM';
}
