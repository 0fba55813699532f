import type { Socket } from 'node:net';
import type { Observer, SessionReason } from '../events.ts';
import { destinationOf, type Destination, type Meant } from '../helper/destination.ts';
import type { Address } from '../net/address.ts';
import type { Cidr } from '../net/cidr.ts';
import { dial, type Dialling } from '../net/dial.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError } from '../net/socket.ts';
import type { Borrower, Plane } from '../plane/plane.ts';
import { closeGently } from './close-gently.ts';
import type { OriginalDestination } from './original-destination.ts';
import { Session, type SessionSettings, type SessionSockets } from './session.ts';

/** What new sessions are made with. */
export interface SessionsSettings extends SessionSettings {
  /** The server that the relay stands in front of, as it was named; undefined: each client means its own. */
  readonly upstream: Upstream | undefined;
  /** Whether the server is to see the client's own address. */
  readonly keepClientAddress: boolean;
  /** Networks that intercepted sessions may go to; undefined: none are intercepted. */
  readonly intercepted: readonly Cidr[] | undefined;
  /** Milliseconds. */
  readonly connectTimeout: number;
  readonly maxSessions: number;
  readonly maxSessionsPerClient: number;
}

/** Whose control connection it is, and where it was going before any rule of this host. */
interface Ends {
  readonly client: Endpoint;
  readonly original: Endpoint;
}

interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** What sessions use of this host. */
export interface SessionsHost {
  readonly plane: Plane;
  /** There where `keepClientAddress` wants it. */
  readonly borrower: Borrower | undefined;
  /** There where sessions are intercepted. */
  readonly originalDestination: OriginalDestination | undefined;
  /** Whether an endpoint is one that this process listens on for sessions. */
  readonly isOwn: (endpoint: Endpoint) => boolean;
  readonly isOwnAddress: (address: Address) => boolean;
}

/** Every session of this process, from the accepted connection on. */
export class Sessions {
  #settings: SessionsSettings;
  readonly #host: SessionsHost;
  readonly #observe: Observer;
  readonly #live = new Set<Session>();
  /** Sessions to be, whose server has not answered yet. */
  readonly #dialling = new Set<Dialling>();
  readonly #countOf = new Map<Address, number>();
  /** The ends of control connections: a client that is one of our own connections to a server is a loop. */
  readonly #clientEnds = new Set<string>();
  readonly #upstreamEnds = new Set<string>();
  #count = 0;
  #lastId = 0;
  #closing = false;
  #empty: (() => void) | undefined;

  constructor(settings: SessionsSettings, host: SessionsHost, observe: Observer) {
    this.#settings = settings;
    this.#host = host;
    this.#observe = observe;
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
    const arrived = endpointOfSocket(socket.localAddress, socket.localPort);
    if (!client || !arrived) {
      // It was reset before it was accepted.
      socket.destroy();
      return;
    }
    socket.once('error', ignoreError);
    // Where it is our own connection that was led back here, that one's 'connect' is told in this turn, maybe later.
    setImmediate(() => {
      this.#admit(socket, client, arrived);
    });
  }

  #admit(socket: Socket, client: Endpoint, arrived: Endpoint): void {
    const settings = this.#settings;
    const original = this.#host.originalDestination?.(socket, arrived.address) ?? arrived;
    const ends = { client, original };
    const destination = this.#destinationOf({ original, arrived }, settings);
    const upstream = this.#upstreamOf(destination, settings);
    const reason = this.#whyRefuse(ends) ?? (destination.kind === 'refuse' ? destination.reason : undefined);
    if (reason || !upstream) {
      this.#refuse(socket, client, reason ?? 'loop', refusals[reason ?? 'loop']);
      return;
    }
    this.#enter(ends);
    const dialling = this.#dial(upstream, client, settings);
    this.#dialling.add(dialling);
    dialling.connected.then(
      (connected) => {
        this.#dialling.delete(dialling);
        const reached = destination.kind === 'meant' ? destination.server : arrived;
        this.#begin({ client: socket, server: connected }, { ...ends, reached, arrived }, settings);
      },
      (error: unknown) => {
        const words = messageOf(error);
        this.#dialling.delete(dialling);
        this.#leave(ends);
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

  #destinationOf(meant: Meant, { upstream, intercepted }: SessionsSettings): Destination {
    const { isOwnAddress } = this.#host;
    return destinationOf(meant, { isNamed: upstream !== undefined, intercepted, isOwnAddress });
  }

  #upstreamOf(destination: Destination, { upstream }: SessionsSettings): Upstream | undefined {
    if (destination.kind !== 'meant') return upstream;
    return { host: destination.server.address, port: destination.server.port };
  }

  #dial(upstream: Upstream, client: Endpoint, settings: SessionsSettings): Dialling {
    const borrower = this.#borrowerFor(client, settings);
    return borrower
      ? borrower.dial(upstream, client, settings.connectTimeout)
      : dial(upstream, settings.connectTimeout);
  }

  /** Answers to an address that is this host's own, or means something on a link alone, would not come back. */
  #borrowerFor({ address }: Endpoint, { keepClientAddress }: SessionsSettings): Borrower | undefined {
    if (!keepClientAddress) return undefined;
    const isOfThisHost = address.includes('%') || this.#host.isOwnAddress(address);
    return isOfThisHost ? undefined : this.#host.borrower;
  }

  /** The other end of a connection of ours is not served when it comes here, for a while. */
  #remember(upstreamEnd: string): void {
    this.#upstreamEnds.add(upstreamEnd);
    setTimeout(() => this.#upstreamEnds.delete(upstreamEnd), loopMemory).unref();
  }

  #begin(
    sockets: SessionSockets,
    { reached, arrived, ...ends }: Ends & { reached: Endpoint; arrived: Endpoint },
    settings: SessionsSettings,
  ): void {
    const { server: upstream } = sockets;
    const { client } = ends;
    const server = endpointOfSocket(upstream.remoteAddress, upstream.remotePort);
    const local = endpointOfSocket(upstream.localAddress, upstream.localPort);
    if (sockets.client.destroyed || !server || !local) {
      upstream.destroy();
      sockets.client.destroy();
      this.#leave(ends);
      return;
    }
    const upstreamEnd = endsKey(local, server);
    if (this.#host.isOwn(server) || this.#clientEnds.has(upstreamEnd)) {
      // It would dial itself for this session, and once more for that one, until no session is left.
      upstream.destroy();
      this.#remember(upstreamEnd);
      this.#leave(ends);
      this.#refuse(sockets.client, client, 'loop', refusals.loop);
      return;
    }
    sockets.client.off('error', ignoreError);
    const inside = this.#borrowerFor(client, settings)
      ? { address: client.address, port: local.port }
      : local;
    const own = { client: arrived.address, server: local.address };
    this.#upstreamEnds.add(upstreamEnd);
    const session: Session = new Session(
      ++this.#lastId,
      sockets,
      { client, reached, server, inside, own },
      settings,
      this.#host.plane,
      this.#observe,
      () => {
        this.#live.delete(session);
        this.#upstreamEnds.delete(upstreamEnd);
        this.#leave(ends);
      },
    );
    this.#live.add(session);
    if (this.#closing) session.drain();
  }

  #whyRefuse({ client, original }: Ends): keyof typeof refusals | undefined {
    if (this.#closing) return 'shutdown';
    if (this.#upstreamEnds.has(endsKey(client, original))) return 'loop';
    if (this.#count >= this.#settings.maxSessions) return 'too-many-sessions';
    if ((this.#countOf.get(client.address) ?? 0) >= this.#settings.maxSessionsPerClient)
      return 'too-many-sessions-of-client';
    return undefined;
  }

  #refuse(socket: Socket, client: Endpoint, reason: SessionReason, reply: string, error?: string): void {
    this.#observe({ type: 'session-refused', client, reason, error });
    socket.write(`${reply}\r\n`);
    closeGently(socket);
  }

  #enter({ client, original }: Ends): void {
    const { address } = client;
    this.#count++;
    this.#clientEnds.add(endsKey(client, original));
    this.#countOf.set(address, (this.#countOf.get(address) ?? 0) + 1);
  }

  #leave({ client, original }: Ends): void {
    const { address } = client;
    this.#count--;
    this.#clientEnds.delete(endsKey(client, original));
    const left = (this.#countOf.get(address) ?? 1) - 1;
    if (left > 0) this.#countOf.set(address, left);
    else this.#countOf.delete(address);
    if (this.#count === 0) this.#empty?.();
  }
}

/** One connection: its port alone may be another's too, to another host. */
function endsKey(from: Endpoint, to: Endpoint): string {
  return `${formatEndpoint(from)} ${formatEndpoint(to)}`;
}

/** Milliseconds. */
const loopMemory = 10_000;

const serverIsAway = '421 Service not available, the server does not answer.';

const refusals = {
  shutdown: '421 Service closing.',
  'too-many-sessions': '421 Too many sessions, try again later.',
  'too-many-sessions-of-client': '421 Too many sessions from your address.',
  loop: '421 Service not available, this is the relay itself.',
  'destination-not-allowed': '421 Service not available, this server is not allowed.',
} as const;
