import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { plainAddress, type Endpoint } from './address.ts';
import type { OpenHandles } from './open-handles.ts';

/** How the next data connection comes about. Good for one; closing it is always safe. */
export interface DataPort {
  /** The data connection, once it stands. Rejects when it fails, or when `signal` says so. */
  open(signal: AbortSignal): Promise<Socket>;
  /** Gives up a data connection that no transfer has opened. */
  close(): void;
}

/** An inclusive range of ports. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** PASV and EPSV: a listener for one connection, from one address. */
export class PassivePort implements DataPort {
  readonly port: number;
  readonly #listener: Server;
  #connected: Socket | undefined;
  #deliver: ((socket: Socket) => void) | undefined;

  /** `listener` listens already, and pauses what it accepts: a client may send before its STOR is read. */
  constructor(listener: Server, peer: string, handles: OpenHandles) {
    this.#listener = handles.add(listener);
    this.port = portOf(listener);
    listener.on('connection', (socket) => {
      socket.on('error', () => undefined);
      if (plainAddress(socket.remoteAddress ?? '') !== peer || this.#connected !== undefined) {
        socket.resetAndDestroy();
        return;
      }
      listener.close();
      this.#connected = handles.add(socket);
      this.#deliver?.(socket);
    });
  }

  async open(signal: AbortSignal): Promise<Socket> {
    signal.throwIfAborted();
    if (this.#connected !== undefined) return this.#connected;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        this.close();
        reject(new Error('No data connection came', { cause: signal.reason }));
      };
      signal.addEventListener('abort', giveUp);
      this.#deliver = (socket) => {
        signal.removeEventListener('abort', giveUp);
        resolve(socket);
      };
    });
  }

  close(): void {
    this.#listener.close();
    this.#connected?.destroy();
  }
}

/** Listens on a free port of the range, beginning anywhere in it; `undefined` when none is free. */
export async function listenPassive(
  host: string,
  peer: string,
  range: PortRange | undefined,
  handles: OpenHandles,
): Promise<PassivePort | undefined> {
  const { first, last } = range ?? { first: 0, last: 0 };
  const size = last - first + 1;
  const start = randomInt(size);
  for (let step = 0; step < size; step++) {
    const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
    try {
      listener.listen({ host, port: first + ((start + step) % size), exclusive: true });
      await once(listener, 'listening');
      return new PassivePort(listener, peer, handles);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
  return undefined;
}

/** PORT and EPRT: the server dials, from its own address and, if it may, from `localPort`. */
export class ActivePort implements DataPort {
  readonly #to: Endpoint;
  readonly #localAddress: string;
  readonly #localPort: number | undefined;
  readonly #handles: OpenHandles;

  constructor(to: Endpoint, localAddress: string, localPort: number | undefined, handles: OpenHandles) {
    this.#to = to;
    this.#localAddress = localAddress;
    this.#localPort = localPort;
    this.#handles = handles;
  }

  async open(signal: AbortSignal): Promise<Socket> {
    if (this.#localPort === undefined) return this.#dial(signal, undefined);
    try {
      return await this.#dial(signal, this.#localPort);
    } catch (error) {
      // Port 20 needs a privilege, and its pair with the client's port may be in TIME_WAIT still.
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!['EACCES', 'EADDRINUSE', 'EADDRNOTAVAIL'].includes(code)) throw error;
      return this.#dial(signal, undefined);
    }
  }

  close(): void {
    // Nothing is open before a transfer asks for it.
  }

  async #dial(signal: AbortSignal, localPort: number | undefined): Promise<Socket> {
    const socket = connect({
      host: this.#to.address,
      port: this.#to.port,
      localAddress: this.#localAddress,
      ...(localPort !== undefined && { localPort }),
      allowHalfOpen: true,
      noDelay: true,
    });
    this.#handles.add(socket);
    try {
      await once(socket, 'connect', { signal });
    } catch (error) {
      socket.on('error', () => undefined);
      socket.destroy();
      throw error;
    }
    socket.on('error', () => undefined);
    return socket;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening on TCP');
  return address.port;
}
