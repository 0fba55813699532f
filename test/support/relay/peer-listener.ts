import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { Address } from '../../../src/net/address.ts';
import { addressOfSocket } from '../../../src/net/address.ts';
import type { Endpoint } from '../../../src/net/endpoint.ts';
import { Peer } from './peer.ts';
import { Changes, within } from './within.ts';

/** A listener whose connections a test takes one by one: the server's control port, or anybody's data port. */
export class PeerListener {
  readonly endpoint: Endpoint;
  readonly #server: Server;
  readonly #changes = new Changes();
  readonly #all: Peer[] = [];
  readonly #waiting: Peer[] = [];

  private constructor(server: Server) {
    this.#server = server;
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('not listening');
    this.endpoint = { address: addressOfSocket(bound.address) as Address, port: bound.port };
    server.on('connection', (socket) => {
      const peer = new Peer(socket);
      this.#all.push(peer);
      this.#waiting.push(peer);
      this.#changes.wake();
    });
  }

  /** @param port 0 for any free one */
  static async at(address: string, port = 0): Promise<PeerListener> {
    const server = createServer({ allowHalfOpen: true });
    server.listen({ host: address, port, exclusive: true });
    await within(once(server, 'listening'), `listening on ${address}`);
    return new PeerListener(server);
  }

  /** How many have connected so far. */
  get count(): number {
    return this.#all.length;
  }

  /** The next connection, in the order in which they came. */
  next(): Promise<Peer> {
    return this.#changes.until(`a connection to ${this.endpoint.address} port ${this.endpoint.port}`, () =>
      this.#waiting.shift(),
    );
  }

  /** Listens no more; connections live on. */
  close(): void {
    this.#server.close();
  }

  /** Ends everything. */
  destroy(): void {
    this.close();
    for (const { socket } of this.#all) socket.destroy();
  }
}
