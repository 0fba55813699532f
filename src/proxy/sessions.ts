import type { Socket } from 'node:net';
import type { Observer, SessionReason } from '../events.ts';
import { destinationOf, type Destination, type Meant } from '../helper/destination.ts';
import type { TlsPolicy } from '../helper/tls-policy.ts';
import { isLoopback, parseAddress, type Address } from '../net/address.ts';
import { tcpChannel, type Channel } from '../net/channel.ts';
import type { Cidr } from '../net/cidr.ts';
import type { Descriptors } from '../net/descriptors.ts';
import { dial, type Dialling } from '../net/dial.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { keepAlive } from '../net/keepalive.ts';
import { ignoreError } from '../net/socket.ts';
import type { Borrower, RangePlane } from '../plane/plane.ts';
import type { TlsForClients } from '../tls/for-clients.ts';
import type { TlsForServer } from '../tls/for-server.ts';
import { Admission, clientOf, type AdmissionLimits } from './admission.ts';
import { closeGently } from './close-gently.ts';
import { GreetingQueue } from './greeting-queue.ts';
import type { OriginalDestination } from './original-destination.ts';
import { noTlsWithServer, openWithTls, ServerTlsError } from './server-tls.ts';
import type { SessionSecurity } from './session-security.ts';
import type { SessionSettings } from './session-settings.ts';
import { Session } from './session.ts';
import { Turns } from './turns.ts';

/** What new sessions are made with. */
export interface SessionsSettings extends SessionSettings, AdmissionLimits {
  /** The server that the relay stands in front of, as it was named; undefined: each client means its own. */
  readonly upstream: Upstream | undefined;
  /** Whether the server is to see the client's own address. */
  readonly keepClientAddress: boolean;
  /** Networks that intercepted sessions may go to; undefined: none are intercepted. */
  readonly intercepted: readonly Cidr[] | undefined;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** Milliseconds of silence on a control connection until its peer is asked whether it is there; 0 for never. */
  readonly keepalive: number;
  readonly tls: TlsServices;
}

/** Certificates and trust, as new sessions have them. */
export interface TlsServices {
  /** There where TLS of clients ends here. */
  readonly forClients: TlsForClients | undefined;
  /** There where channels to the server may be TLS. */
  readonly forServer: TlsForServer | undefined;
}

/** Whose control connection it is, and where it was going before any rule of this host. */
interface Ends {
  readonly client: Endpoint;
  readonly original: Endpoint;
}

/** Of a client that was let in: where it connected to as well, and what it reached by that. */
interface AdmittedEnds extends Ends {
  readonly arrived: Endpoint;
  readonly reached: Endpoint;
  /** It is one no more. */
  readonly leave: () => void;
}

interface Upstream {
  readonly host: string;
  readonly port: number;
}

/** What sessions use of this host. */
export interface SessionsHost {
  readonly plane: RangePlane;
  /** There where `keepClientAddress` wants it. */
  readonly borrower: Borrower | undefined;
  /** There where sessions are intercepted. */
  readonly originalDestination: OriginalDestination | undefined;
  /** Whether an endpoint is one that this process listens on for sessions. */
  readonly isOwn: (endpoint: Endpoint) => boolean;
  readonly isOwnAddress: (address: Address) => boolean;
  readonly descriptors: Descriptors;
}

/** Every session of this process, from the accepted connection on. */
export class Sessions {
  #settings: SessionsSettings;
  readonly #host: SessionsHost;
  readonly #observe: Observer;
  readonly #turns = new Turns();
  readonly #live = new Set<Session>();
  /** Sessions to be, whose server has not answered yet. */
  readonly #establishing = new Set<{ abort(): void }>();
  readonly #admission: Admission;
  readonly #greetings = new GreetingQueue();
  /** The ends of control connections: a client that is one of our own connections to a server is a loop. */
  readonly #clientEnds = new Set<string>();
  readonly #upstreamEnds = new Set<string>();
  #lastId = 0;
  #closing = false;
  #empty: (() => void) | undefined;

  constructor(settings: SessionsSettings, host: SessionsHost, observe: Observer) {
    this.#settings = settings;
    this.#host = host;
    this.#observe = observe;
    this.#admission = new Admission(host.descriptors);
  }

  get count(): number {
    return this.#admission.count;
  }

  /** Sessions that begin from now on have these; live ones keep theirs. */
  configure(settings: SessionsSettings): void {
    this.#settings = settings;
  }

  /**
   * Takes a client's control connection, paused, over.
   *
   * @param isImplicit whether it is TLS from its first byte
   */
  accept(socket: Socket, isImplicit: boolean): void {
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
      this.#admit(socket, client, arrived, isImplicit);
    });
  }

  #admit(socket: Socket, client: Endpoint, arrived: Endpoint, isImplicit: boolean): void {
    const settings = this.#settings;
    const original = this.#host.originalDestination?.(socket, arrived.address) ?? arrived;
    const ends = { client, original };
    const destination = this.#destinationOf({ original, arrived }, settings);
    const upstream = this.#upstreamOf(destination, settings);
    const why = this.#whyRefuse(ends) ?? (destination.kind === 'refuse' ? destination.reason : undefined);
    const left = why ?? (upstream ? this.#enter(ends, settings) : 'loop');
    if (typeof left === 'string' || !upstream) {
      const reason = typeof left === 'string' ? left : 'loop';
      // In clear it would be nothing that a TLS client understands.
      this.#refuse(tcpChannel(socket), client, reason, isImplicit ? undefined : refusalOf(reason));
      return;
    }
    keepAlive(socket, settings.keepalive, true);
    const reached = destination.kind === 'meant' ? destination.server : arrived;
    const admitted = { ...ends, reached, arrived, leave: left };
    void this.#establish(socket, admitted, upstream, isImplicit, settings);
  }

  /** Makes the session of an admitted client: TLS with it where that comes first, then the server. */
  async #establish(
    socket: Socket,
    ends: AdmittedEnds,
    upstream: Upstream,
    isImplicit: boolean,
    settings: SessionsSettings,
  ): Promise<void> {
    const security = securityFor(upstream, settings);
    let client: Channel = tcpChannel(socket);
    const establishing = { abort: (): void => void socket.destroy() };
    this.#establishing.add(establishing);
    const failed = (reason: SessionReason, reply: string | undefined, error: unknown): void => {
      ends.leave();
      this.#refuse(client, ends.client, reason, reply, error === undefined ? undefined : messageOf(error));
    };
    try {
      if (isImplicit) {
        if (!security.client) {
          failed('tls-failed', undefined, 'clients get no TLS any more');
          return;
        }
        try {
          client = await security.client.control(socket);
        } catch (error) {
          failed('tls-failed', undefined, error);
          return;
        }
        client.stream.once('error', ignoreError);
      }
      const from = clientOf(ends.client.address, settings);
      const isLikelyLoop = mayBeLoop(ends.client.address, upstream);
      const most = isLikelyLoop ? mostGreetingsOfLoop : mostGreetings;
      const { turn, giveUp } = this.#greetings.enter(from, most, settings.connectTimeout);
      establishing.abort = giveUp;
      if (!(await turn)) {
        if (this.#closing) failed('shutdown', refusals.shutdown, undefined);
        else if (isLikelyLoop) failed('loop', refusals.loop, noGreeting);
        else failed('server-unreachable', serverIsAway, noGreeting);
        return;
      }
      let isGreeted = false;
      const greeted = (): void => {
        if (!isGreeted) this.#greetings.leave(from);
        isGreeted = true;
      };
      const leave = (): void => {
        greeted();
        ends.leave();
      };
      if (this.#closing) {
        greeted();
        failed('shutdown', refusals.shutdown, undefined);
        return;
      }
      const dialling = this.#dial(upstream, ends.client, settings);
      establishing.abort = () => {
        dialling.abort();
      };
      let connected: Socket;
      try {
        connected = await dialling.connected;
      } catch (error) {
        greeted();
        failed('server-unreachable', serverIsAway, error);
        return;
      }
      establishing.abort = () => {
        connected.destroy();
      };
      await this.#begin(client, connected, { ...ends, leave }, greeted, security, settings);
    } finally {
      this.#establishing.delete(establishing);
    }
  }

  /** Ends sessions as they become idle, and the rest when `grace` milliseconds are over. */
  async close(grace: number): Promise<void> {
    this.#closing = true;
    for (const each of [...this.#establishing]) each.abort();
    for (const session of [...this.#live]) session.drain();
    if (this.count === 0) return;
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

  async #begin(
    client: Channel,
    upstream: Socket,
    { reached, arrived, leave, ...ends }: AdmittedEnds,
    greeted: () => void,
    security: SessionSecurity,
    settings: SessionsSettings,
  ): Promise<void> {
    const server = endpointOfSocket(upstream.remoteAddress, upstream.remotePort);
    const local = endpointOfSocket(upstream.localAddress, upstream.localPort);
    if (client.stream.destroyed || !server || !local) {
      upstream.destroy();
      client.stream.destroy();
      leave();
      return;
    }
    const upstreamEnd = endsKey(local, server);
    if (this.#host.isOwn(server) || this.#clientEnds.has(upstreamEnd)) {
      // It would dial itself for this session, and once more for that one, until no session is left.
      upstream.destroy();
      this.#remember(upstreamEnd);
      leave();
      this.#refuse(client, ends.client, 'loop', refusals.loop);
      return;
    }
    this.#upstreamEnds.add(upstreamEnd);
    keepAlive(upstream, settings.keepalive, true);
    let opened: { readonly channel: Channel; readonly greeting?: string | undefined };
    try {
      opened = await openServer(upstream, security, settings.policy.tls, client.kind === 'tls');
    } catch (error) {
      this.#upstreamEnds.delete(upstreamEnd);
      leave();
      const said = error instanceof ServerTlsError ? error.greeting?.trimEnd() : undefined;
      this.#refuse(client, ends.client, 'server-tls-failed', said ?? noTlsWithServer, messageOf(error));
      return;
    }
    client.stream.off('error', ignoreError);
    const inside = this.#borrowerFor(ends.client, settings)
      ? { address: ends.client.address, port: local.port }
      : local;
    const own = { client: arrived.address, server: local.address };
    const session: Session = new Session(
      ++this.#lastId,
      { client, server: opened.channel, greeting: opened.greeting },
      { client: ends.client, reached, server, inside, own },
      settings,
      security,
      { plane: this.#host.plane, turns: this.#turns, observe: this.#observe },
      {
        greeted,
        over: () => {
          this.#live.delete(session);
          this.#upstreamEnds.delete(upstreamEnd);
          leave();
        },
      },
    );
    this.#live.add(session);
    if (this.#closing) session.drain();
  }

  #whyRefuse({ client, original }: Ends): SessionReason | undefined {
    if (this.#closing) return 'shutdown';
    return this.#upstreamEnds.has(endsKey(client, original)) ? 'loop' : undefined;
  }

  #refuse(
    { stream }: Channel,
    client: Endpoint,
    reason: SessionReason,
    reply: string | undefined,
    error?: string,
  ): void {
    this.#observe({ type: 'session-refused', client, reason, error });
    if (reply !== undefined && stream.writable) stream.write(`${reply}\r\n`);
    const done = this.#admission.refuse(clientOf(client.address, this.#settings));
    if (done) closeGently(stream, done);
    // Many at once are told the same, and who has sent something may not get to read it.
    else stream.destroy();
  }

  /** Returns what takes that back, or why it can't be. */
  #enter({ client, original }: Ends, settings: SessionsSettings): (() => void) | SessionReason {
    const leave = this.#admission.enter(clientOf(client.address, settings), settings);
    if (typeof leave === 'string') return leave;
    const key = endsKey(client, original);
    this.#clientEnds.add(key);
    return () => {
      leave();
      this.#clientEnds.delete(key);
      if (this.count === 0) this.#empty?.();
    };
  }
}

/** Whether a client may be this server, which may be a relay in front of this one. */
function mayBeLoop(client: Address, { host }: Upstream): boolean {
  const server = parseAddress(host);
  if (server === undefined) return host === 'localhost' && isLoopback(client);
  return client === server || (isLoopback(client) && isLoopback(server));
}

/** What TLS a session with this server may have. */
function securityFor({ host }: Upstream, { tls, policy, connectTimeout }: SessionsSettings): SessionSecurity {
  const { server, serverData } = policy.tls;
  return {
    client: tls.forClients?.newSession(),
    server: tls.forServer && {
      tls: tls.forServer.newSession(host),
      kind: server === 'implicit' ? 'implicit' : 'explicit',
      protectsData: serverData === 'protected',
      timeout: connectTimeout,
    },
  };
}

/**
 * The control channel to the server, TLS where that comes before all else.
 *
 * @param isClientTls whether the client's is TLS already: it will not say AUTH
 */
function openServer(
  upstream: Socket,
  { server: plan }: SessionSecurity,
  { server }: TlsPolicy,
  isClientTls: boolean,
): Promise<{ readonly channel: Channel; readonly greeting?: string | undefined }> {
  const channel = tcpChannel(upstream);
  return plan && (server !== 'same' || isClientTls)
    ? openWithTls(channel, plan)
    : Promise.resolve({ channel });
}

/** One connection: its port alone may be another's too, to another host. */
function endsKey(from: Endpoint, to: Endpoint): string {
  return `${formatEndpoint(from)} ${formatEndpoint(to)}`;
}

/** Milliseconds. */
const loopMemory = 10_000;

const serverIsAway = '421 Service not available, the server does not answer.';

/** How many sessions of one client may wait for the server's greeting; and where they may be of a loop. */
const mostGreetings = 64;
const mostGreetingsOfLoop = 4;
const noGreeting = 'the server has not greeted the sessions before this one';

function refusalOf(reason: SessionReason): string {
  return (refusals as Partial<Record<SessionReason, string>>)[reason] ?? serverIsAway;
}

const refusals = {
  shutdown: '421 Service closing.',
  'too-many-sessions': '421 Too many sessions, try again later.',
  'too-many-sessions-of-client': '421 Too many sessions from your address.',
  'too-many-descriptors': '421 Too many connections, try again later.',
  loop: '421 Service not available, this is the relay itself.',
  'destination-not-allowed': '421 Service not available, this server is not allowed.',
} as const;
