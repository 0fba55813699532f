import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';

/** Tries something on a socket that has its handle and no descriptor: it is closed before it connects anywhere. */
export function onSocket<T>(attempt: (socket: Socket) => T): T {
  const socket = new Socket();
  socket.on('error', ignore);
  socket.connect({ host: '127.0.0.1', port: 9 });
  try {
    return attempt(socket);
  } finally {
    socket.destroy();
  }
}

/** Tries something on a server's side of TLS to which nothing comes. */
export function onTls<T>(attempt: (tls: TLSSocket) => T, options: TLSSocketOptions = {}): T {
  const wire = new Duplex({ read: ignore });
  // Without `ca` it would load all authorities of the system.
  const secureContext = createSecureContext({ ca: [] });
  const tls = new TLSSocket(wire, { isServer: true, rejectUnauthorized: false, secureContext, ...options });
  tls.on('error', ignore);
  try {
    return attempt(tls);
  } finally {
    tls.destroy();
    wire.destroy();
  }
}

function ignore(): void {
  // Nobody is there.
}
