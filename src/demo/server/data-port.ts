import { once } from 'node:events';
import type { Socket } from 'node:net';
import { addressOfSocket, type Address } from '../../net/address.ts';
import { dial, type Dialling } from '../../net/dial.ts';
import { endpointOfServer, type Endpoint } from '../../net/endpoint.ts';
import { listenAt } from '../../net/listen.ts';
import { ignoreError } from '../../net/socket.ts';
import type { OpenHandles } from './open-handles.ts';

/** How the next data connection comes about. Good for one; closing it is always safe. */
export interface DataPort {
  /** The data connection, once it stands. Rejects when it fails, or when the port is closed. */
  connect(): Promise<Socket>;
  /** Gives up a data connection that no transfer has taken. */
  close(): void;
}

/** PASV and EPSV: a listener at any free port, for one connection from `peer`. */
export async function listenForData(
  local: Address,
  peer: Address,
  handles: OpenHandles,
): Promise<DataPort & { readonly port: number }> {
  // Paused: a client may send before its STOR is read.
  const listener = listenAt({ address: local, port: 0 });
  await once(listener, 'listening');
  handles.add(listener);
  const { port } = endpointOfServer(listener);

  let close = (): void => undefined;
  const connected = new Promise<Socket>((resolve, reject) => {
    let isTaken = false;
    listener.on('connection', (socket) => {
      socket.on('error', ignoreError);
      if (isTaken || addressOfSocket(socket.remoteAddress) !== peer) {
        socket.resetAndDestroy();
        return;
      }
      isTaken = true;
      listener.close();
      resolve(handles.add(socket));
    });
    close = () => {
      listener.close();
      reject(new Error('No data connection was made'));
      connected.then((socket) => socket.destroy(), ignoreError);
    };
  });
  return { port, close, connect: () => connected };
}

/** PORT and EPRT: the server dials, from its own address. */
export function dialForData(to: Endpoint, local: Address, limit: number, handles: OpenHandles): DataPort {
  let dialling: Dialling | undefined;
  return {
    connect: async () => {
      dialling = dial({ host: to.address, port: to.port }, limit, [{ address: local }]);
      const socket = await dialling.connected;
      socket.on('error', ignoreError);
      return handles.add(socket);
    },
    close: () => {
      dialling?.abort();
    },
  };
}
