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
  const end = new EarlyEnd();
  const timer = setTimeout(() => {
    end.come(new NoAnswerError(`no answer from ${to.host} port ${to.port} in ${timeout / 1000} s`));
  }, timeout);
  const connect = async (): Promise<Socket> => {
    try {
      if (typeof how !== 'function') return await connectFromFirst(to, how, end);
      const { host, locals } = await untilEnd(end, how());
      return await connectFromFirst({ host, port: to.port }, locals, end);
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    connected: connect(),
    abort: () => {
      end.come(new Error('given up'));
    },
  };
}

/** The end of a dialling before it has led anywhere. An AbortSignal would cost as much as the socket does. */
class EarlyEnd {
  #reason: Error | undefined;
  #act: ((reason: Error) => void) | undefined;

  get reason(): Error | undefined {
    return this.#reason;
  }

  come(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#act?.(reason);
  }

  /** @param act is told when it comes, in the place of who was to be told before */
  listen(act: ((reason: Error) => void) | undefined): void {
    this.#act = act;
  }
}

async function connectFromFirst(
  to: { readonly host: string; readonly port: number },
  [local = {}, ...others]: readonly LocalEnd[],
  end: EarlyEnd,
): Promise<Socket> {
  let undo: (() => void) | undefined;
  try {
    if (local.prepare) undo = await local.prepare();
    if (end.reason) throw end.reason;
    return await connectFrom(to, local, end);
  } catch (error) {
    if (end.reason || others.length === 0 || !isLocal(error)) throw error;
    return await connectFromFirst(to, others, end);
  } finally {
    undo?.();
  }
}

function connectFrom(
  { host, port }: { readonly host: string; readonly port: number },
  { address, port: localPort }: LocalEnd,
  end: EarlyEnd,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      lookup: sharedLookup.lookup,
      allowHalfOpen: true,
      noDelay: true,
      localAddress: address,
      localPort,
    });
    const failed = (error: Error): void => {
      end.listen(undefined);
      reject(error);
    };
    end.listen((reason) => {
      socket.destroy(reason);
    });
    socket.pause();
    socket.on('error', failed);
    socket.once('connect', () => {
      // From now on it is its owner's.
      end.listen(undefined);
      socket.off('error', failed);
      resolve(socket);
    });
  });
}

/** The outcome of `work`, or the reason why it is not waited for any longer. */
function untilEnd<T>(end: EarlyEnd, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    end.listen(reject);
    work.then(resolve, reject);
  });
}

/** Whether a connection failed on this side, for want of the local endpoint. */
function isLocal(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EACCES' || code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL' || code === 'EPERM';
}
