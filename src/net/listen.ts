import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from './endpoint.ts';

/** A socket that somebody else has bound. */
export interface BoundSocket {
  readonly fd: number;
}

/**
 * Listens at an endpoint of this host, or on a socket that is bound already. Connections arrive paused, as nobody may read them before it is known whose they
 * are, and may be half-open, as a FIN is the end of one direction alone. 'listening' and 'error' say how it went.
 *
 * @param accept gets each connection
 */
export function listenAt(where: Endpoint | BoundSocket, accept?: (socket: Socket) => void): Server {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, accept);
  if ('fd' in where) return server.listen(where);
  const { address, port } = where;
  // `::` is for IPv6 alone: IPv4 has its own listener, and its addresses their own form.
  return server.listen({ host: address, port, ipv6Only: true, exclusive: true });
}
