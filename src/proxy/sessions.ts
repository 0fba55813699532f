import type { Socket } from 'node:net';
import type { Observer, SessionReason } from '../events.ts';
import type { Address } from '../net/address.ts';
import { dial, type Dialling } from '../net/dial.ts';
import { endpointOfSocket, type Endpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError } from '../net/socket.ts';
import type { Plane } from '../plane/plane.ts';
import { closeGently } from './close-gently.ts';
import { Session, type SessionEndpoints, type SessionSettings } from './session.ts';

/** What new sessions are made with. */
export interface SessionsSettings extends SessionSettings {
  /** The server that the relay stands in front of, as it was named. */
  readonly upstream: { readonly host: string; readonly port: number };
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
}

/** Every session of this process, from the accepted connection on. */
export class Sessions {
  #settings: SessionsSettings;
  readonly #plane: Plane;
  readonly #observe: Observer;
  readonly #isOwn: (endpoint: Endpoint) => boolean;
  readonly #live = new Set<Session>();
  /** Sessions to be, whose server has not answered yet. */
  readonly #dialling = new Set<Dialling>();
  readonly #countOf = new Map<Address, number>();
  #count = 0;
  #lastId = 0;
  #closing = false;
  #empty: (() => void) | undefined;

  /** @param isOwn whether an endpoint is one that this process listens on for sessions */
  constructor(
    settings: SessionsSettings,
    plane: Plane,
    observe: Observer,
    isOwn: (endpoint: Endpoint) => boolean,
  ) {
    this.#settings = settings;
    this.#plane = plane;
    this.#observe = observe;
    this.#isOwn = isOwn;
  }

  get count(): number {
    return this.#count;
  }

  /** Sessions that begin from now on have these; live ones keep theirs. */
  configure(settings: SessionsSettings): void {
    this.#settings = settings;
  }

  /** Takes a client's control connection, paused, over. */
  accept(socket: Socket): void {
    const client = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    const reached = endpointOfSocket(socket.localAddress, socket.localPort);
    if (!client || !reached) {
      // It was reset before it was accepted.
      socket.destroy();
      return;
    }
    socket.once('error', ignoreError);
    const reason = this.#whyRefuse(client.address);
    if (reason) {
      this.#refuse(socket, client, reason, refusals[reason]);
      return;
    }
    this.#enter(client.address);
    const settings = this.#settings;
    const dialling = dial(settings.upstream, settings.connectTimeout);
    this.#dialling.add(dialling);
    dialling.connected.then(
      (upstream) => {
        this.#dialling.delete(dialling);
        this.#begin(socket, upstream, client, reached, settings);
      },
      (error: unknown) => {
        const words = messageOf(error);
        this.#dialling.delete(dialling);
        this.#leave(client.address);
        this.#refuse(socket, client, 'server-unreachable', serverIsAway, words);
      },
    );
  }

  /** Ends sessions as they become idle, and the rest when `grace` milliseconds are over. */
  async close(grace: number): Promise<void> {
    this.#closing = true;
    for (const dialling of [...this.#dialling]) dialling.abort();
    for (const session of [...this.#live]) session.drain();
    if (this.#count === 0) return;
    const timer = setTimeout(() => {
      for (const session of [...this.#live]) session.shutDown();
    }, grace);
    await new Promise<void>((resolve) => {
      this.#empty = resolve;
    });
    clearTimeout(timer);
  }

  #begin(
    socket: Socket,
    upstream: Socket,
    client: Endpoint,
    reached: Endpoint,
    settings: SessionsSettings,
  ): void {
    const server = endpointOfSocket(upstream.remoteAddress, upstream.remotePort);
    const inside = endpointOfSocket(upstream.localAddress, upstream.localPort);
    if (socket.destroyed || !server || !inside) {
      upstream.destroy();
      socket.destroy();
      this.#leave(client.address);
      return;
    }
    if (this.#isOwn(server)) {
      // It would dial itself for this session, and once more for that one, until no session is left.
      upstream.destroy();
      this.#leave(client.address);
      this.#refuse(socket, client, 'server-unreachable', serverIsAway, 'the server is this relay itself');
      return;
    }
    socket.off('error', ignoreError);
    const endpoints: SessionEndpoints = { client, reached, server, inside };
    const session: Session = new Session(
      ++this.#lastId,
      { client: socket, server: upstream },
      endpoints,
      settings,
      this.#plane,
      this.#observe,
      () => {
        this.#live.delete(session);
        this.#leave(client.address);
      },
    );
    this.#live.add(session);
    if (this.#closing) session.drain();
  }

  #whyRefuse(client: Address): 'shutdown' | 'too-many-sessions' | 'too-many-sessions-of-client' | undefined {
    if (this.#closing) return 'shutdown';
    if (this.#count >= this.#settings.maxSessions) return 'too-many-sessions';
    if ((this.#countOf.get(client) ?? 0) >= this.#settings.maxSessionsPerClient)
      return 'too-many-sessions-of-client';
    return undefined;
  }

  #refuse(socket: Socket, client: Endpoint, reason: SessionReason, reply: string, error?: string): void {
    this.#observe({ type: 'session-refused', client, reason, error });
    socket.write(`${reply}\r\n`);
    closeGently(socket);
  }

  #enter(client: Address): void {
    this.#count++;
    this.#countOf.set(client, (this.#countOf.get(client) ?? 0) + 1);
  }

  #leave(client: Address): void {
    this.#count--;
    const left = (this.#countOf.get(client) ?? 1) - 1;
    if (left > 0) this.#countOf.set(client, left);
    else this.#countOf.delete(client);
    if (this.#count === 0) this.#empty?.();
  }
}

const serverIsAway = '421 Service not available, the server does not answer.';

const refusals = {
  shutdown: '421 Service closing.',
  'too-many-sessions': '421 Too many sessions, try again later.',
  'too-many-sessions-of-client': '421 Too many sessions from your address.',
} as const;
