import { connect, type Socket } from 'node:net';
import { codeOf } from './error.ts';
import { sharedLookup } from './shared-lookup.ts';

/** The source of a connection; the system chooses what is not given. */
export interface LocalEnd {
  readonly address?: string;
  readonly port?: number;
  /** Done before it connects from there; what that returns is called when it has connected or failed. */
  readonly prepare?: () => Promise<() => void>;
}

/** How to connect, if that has to be determined first. */
export interface Route {
  /** The address, where `to` has a name. */
  readonly host: string;
  readonly locals: readonly LocalEnd[];
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

/** Nobody answered within the time, neither yes nor no. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Connects to a host, an address or a name.
 *
 * @param timeout milliseconds, for all tries together
 * @param how where to connect from: the first that this host can have at the moment is taken
 */
export function dial(
  to: { readonly host: string; readonly port: number },
  timeout: number,
  how: readonly LocalEnd[] | (() => Promise<Route>) = [{}],
): Dialling {
  const givenUp = new AbortController();
  const timer = setTimeout(() => {
    givenUp.abort(new NoAnswerError(`no answer from ${to.host} port ${to.port} in ${timeout / 1000} s`));
  }, timeout);
  const connect = async (): Promise<Socket> => {
    const way =
      typeof how === 'function' ? await untilGivenUp(givenUp.signal, how()) : { host: to.host, locals: how };
    return connectFromFirst({ host: way.host, port: to.port }, way.locals, givenUp.signal);
  };
  return {
    connected: connect().finally(() => {
      clearTimeout(timer);
    }),
    abort: () => {
      givenUp.abort(new Error('given up'));
    },
  };
}

async function connectFromFirst(
  to: { readonly host: string; readonly port: number },
  [local = {}, ...others]: readonly LocalEnd[],
  givenUp: AbortSignal,
): Promise<Socket> {
  let undo: (() => void) | undefined;
  try {
    undo = await local.prepare?.();
    givenUp.throwIfAborted();
    return await connectFrom(to, local, givenUp);
  } catch (error) {
    if (givenUp.aborted || others.length === 0 || !isLocal(error)) throw error;
    return await connectFromFirst(to, others, givenUp);
  } finally {
    undo?.();
  }
}

function connectFrom(
  { host, port }: { readonly host: string; readonly port: number },
  { address, port: localPort }: LocalEnd,
  givenUp: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      lookup: sharedLookup.lookup,
      allowHalfOpen: true,
      noDelay: true,
      ...(address !== undefined && { localAddress: address }),
      ...(localPort !== undefined && { localPort }),
    });
    const giveUp = (): void => {
      socket.destroy(givenUp.reason as Error);
    };
    const failed = (error: Error): void => {
      givenUp.removeEventListener('abort', giveUp);
      reject(error);
    };
    givenUp.addEventListener('abort', giveUp);
    socket.pause();
    socket.on('error', failed);
    socket.once('connect', () => {
      // From now on it is its owner's.
      givenUp.removeEventListener('abort', giveUp);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

/** The outcome of `work`, or the reason why it is not waited for any longer. */
function untilGivenUp<T>(givenUp: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    givenUp.addEventListener('abort', () => {
      reject(givenUp.reason as Error);
    });
    work.then(resolve, reject);
  });
}

/** Whether a connection failed on this side, for want of the local endpoint. */
function isLocal(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EPERM';
}
