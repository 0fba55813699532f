import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';

/** How long the other end of a connection that led back here is not served, in milliseconds. */
const memory = 10_000;

/** The control connections of this process, by their ends: a client that is one of our own to a server is a loop. */
export class OwnConnections {
  readonly #fromClients = new Set<string>();
  readonly #toServers = new Set<string>();

  /**
   * A client has come.
   *
   * @param to where it was going before any rule of this host
   * @returns what is to be called when it has gone
   */
  addClient(client: Endpoint, to: Endpoint): () => void {
    return add(this.#fromClients, client, to);
  }

  /** Whether this client is a connection of ours to a server. */
  isClientOwn(client: Endpoint, to: Endpoint): boolean {
    return this.#toServers.has(keyOf(client, to));
  }

  /**
   * A server was dialled.
   *
   * @returns what is to be called when that is over
   */
  addServer(local: Endpoint, server: Endpoint): () => void {
    return add(this.#toServers, local, server);
  }

  /** Whether what was dialled is a client here. */
  isServerOwn(local: Endpoint, server: Endpoint): boolean {
    return this.#fromClients.has(keyOf(local, server));
  }

  /**
   * The other end of this connection of ours is not served when it comes here, for a while.
   *
   * @param over is called when that is over
   */
  remember(local: Endpoint, server: Endpoint, over: () => void = () => undefined): void {
    const forget = add(this.#toServers, local, server);
    setTimeout(() => {
      forget();
      over();
    }, memory).unref();
  }
}

function add(ends: Set<string>, from: Endpoint, to: Endpoint): () => void {
  const key = keyOf(from, to);
  ends.add(key);
  return () => {
    ends.delete(key);
  };
}

/** One connection: its port alone may be another's too, to another host. */
function keyOf(from: Endpoint, to: Endpoint): string {
  return `${formatEndpoint(from)} ${formatEndpoint(to)}`;
}
