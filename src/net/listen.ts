import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from './endpoint.ts';

/**
 * Listens at an endpoint of this host. Connections arrive paused, as nobody may read them before it is known whose they
 * are, and may be half-open, as a FIN is the end of one direction alone. 'listening' and 'error' say how it went.
 *
 * @param accept gets each connection
 */
export function listenAt({ address, port }: Endpoint, accept?: (socket: Socket) => void): Server {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, accept);
  // `::` is for IPv6 alone: IPv4 has its own listener, and its addresses their own form.
  return server.listen({ host: address, port, ipv6Only: true, exclusive: true });
}
