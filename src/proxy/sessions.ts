import type { Socket } from 'node:net';
import type { Observer, SessionReason } from '../events.ts';
import { destinationOf, type Destination, type Meant } from '../helper/destination.ts';
import type { Address } from '../net/address.ts';
import { tcpChannel, type Channel } from '../net/channel.ts';
import type { Cidr } from '../net/cidr.ts';
import type { Descriptors } from '../net/descriptors.ts';
import { dial, type Dialling } from '../net/dial.ts';
import { endpointOfSocket, type Endpoint } from '../net/endpoint.ts';
import { keepAlive } from '../net/keepalive.ts';
import { hasLeft, ignoreError } from '../net/socket.ts';
import type { Borrower, RangePlane } from '../plane/plane.ts';
import type { TlsForClients } from '../tls/for-clients.ts';
import type { TlsForServer } from '../tls/for-server.ts';
import { Admission, clientOf, type AdmissionLimits } from './admission.ts';
import { Attempt } from './attempt.ts';
import { ClientShares, type ClientShare } from './client-shares.ts';
import { mayBeLoop, NoSession, openServer, refusalOf, secureClient, type Upstream } from './establish.ts';
import { GreetingQueue } from './greeting-queue.ts';
import type { OriginalDestination } from '../linux/original-destination.ts';
import { OwnConnections } from './own-connections.ts';
import { refuseClient } from './refuse.ts';
import type { TlsPlan } from './session/tls-plan.ts';
import type { SessionSettings } from './session/settings.ts';
import { Session } from './session/session.ts';
import type { SessionRate } from './session-rate.ts';
import type { Share } from './session/turns.ts';

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
  /** Set when the relay terminates the client's TLS. */
  readonly forClients: TlsForClients | undefined;
  /** Set when the channels to the server may be TLS. */
  readonly forServer: TlsForServer | undefined;
}

/** Whose control connection it is, and where it was going before any rule of this host. */
interface Ends {
  readonly client: Endpoint;
  readonly original: Endpoint;
}

/** An admitted client, with the address that it connected to, and what it reached there. */
interface AdmittedEnds extends Ends {
  readonly arrived: Endpoint;
  readonly reached: Endpoint;
  /** Its client's part of this process. */
  readonly share: ClientShare;
  readonly counted: Counted | undefined;
  /** It no longer counts. */
  readonly leave: () => void;
}

/** A client that another process has accepted, admitted and counted, over all processes. */
export interface Counted {
  /** The number of its session. */
  readonly id: number;
  /** It counts no longer. */
  readonly left: () => void;
}

/** What sessions use of this host. */
export interface SessionsHost {
  readonly plane: RangePlane;
  /** Set when `keepClientAddress` asks for it. */
  readonly borrower: Borrower | undefined;
  /** Set when sessions are intercepted. */
  readonly originalDestination: OriginalDestination | undefined;
  /** Whether an endpoint is one that this process listens on for sessions. */
  readonly isOwn: (endpoint: Endpoint) => boolean;
  readonly isOwnAddress: (address: Address) => boolean;
  readonly descriptors: Descriptors;
  /** How many processes have the sessions of a client among them; 1 unless told. */
  readonly processes?: number;
  /** Is told of each connection to a server, where other processes accept clients. @returns what is to be called at its end */
  readonly dialled?: (session: number, local: Endpoint, server: Endpoint) => () => void;
}

/** Every session of this process, from the accepted connection on. */
export class Sessions {
  #settings: SessionsSettings;
  readonly #host: SessionsHost;
  readonly #observe: Observer;
  readonly #shares = new ClientShares();
  readonly #live = new Map<number, Session>();
  readonly #attempts = new Set<Attempt>();
  readonly #admission: Admission;
  readonly #greetings = new GreetingQueue();
  readonly #own = new OwnConnections();
  #lastId = 0;
  #closing = false;

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
   * @param counted set where another process has counted it already
   */
  accept(socket: Socket, isImplicit: boolean, counted?: Counted): void {
    const client = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    const arrived = endpointOfSocket(socket.localAddress, socket.localPort);
    if (!client || !arrived) {
      // It was reset before it was accepted.
      socket.destroy();
      counted?.left();
      return;
    }
    socket.once('error', ignoreError);
    // If it is our own connection that was redirected back here, its 'connect' is emitted in this turn, maybe later.
    setImmediate(() => {
      this.#admit(socket, client, arrived, isImplicit, counted);
    });
  }

  #admit(
    socket: Socket,
    client: Endpoint,
    arrived: Endpoint,
    isImplicit: boolean,
    counted: Counted | undefined,
  ): void {
    const settings = this.#settings;
    const original = this.#host.originalDestination?.(socket, arrived.address) ?? arrived;
    const ends = { client, original };
    const destination = this.#destinationOf({ original, arrived }, settings);
    const upstream = this.#upstreamOf(destination, settings);
    const why = this.#whyRefuse(ends) ?? (destination.kind === 'refuse' ? destination.reason : undefined);
    const entered = why ?? (upstream ? this.#enter(ends, settings, counted) : 'loop');
    if (typeof entered === 'string' || !upstream) {
      const reason = typeof entered === 'string' ? entered : 'loop';
      // In clear it would be nothing that a TLS client understands.
      const reply = isImplicit ? undefined : refusalOf(reason);
      this.#refuse(tcpChannel(socket), client, { reason, reply, error: undefined });
      counted?.left();
      return;
    }
    keepAlive(socket, settings.keepalive, true);
    const reached = destination.kind === 'meant' ? destination.server : arrived;
    const admitted = { ...ends, reached, arrived, counted, ...entered };
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
    const attempt = new Attempt(socket);
    const leave = (): void => {
      attempt.greeted();
      ends.leave();
    };
    // A waiting client is not read: its end is not reported.
    const isGone = (hasWaited: boolean): boolean => {
      if (!hasWaited || !hasLeft(socket)) return false;
      attempt.client.stream.destroy();
      leave();
      return true;
    };
    const plan = tlsPlanFor(upstream, settings, ends.share.time);
    this.#attempts.add(attempt);
    try {
      if (!ends.counted && isGone(await this.#keepRate(attempt, ends.share.rate, settings))) return;
      if (isImplicit) attempt.client = await secureClient(socket, plan);
      if (isGone(await this.#waitForTurn(attempt, ends.client, upstream, settings))) return;
      const connected = await attempt.connect(this.#dial(upstream, ends.client, settings));
      await this.#begin(attempt, connected, { ...ends, leave }, plan, settings);
    } catch (error) {
      if (!(error instanceof NoSession)) throw error;
      leave();
      this.#refuse(attempt.client, ends.client, error);
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  /** @throws {NoSession} */
  async #keepRate(
    attempt: Attempt,
    rate: SessionRate,
    { connectTimeout }: SessionsSettings,
  ): Promise<boolean> {
    // Alone, a client takes time from nobody.
    return this.#shares.isContended && attempt.keepRate(rate, connectTimeout);
  }

  /** @throws {NoSession} */
  #waitForTurn(
    attempt: Attempt,
    client: Endpoint,
    upstream: Upstream,
    settings: SessionsSettings,
  ): Promise<boolean> {
    const from = clientOf(client.address, settings);
    const isLikelyLoop = mayBeLoop(client.address, upstream);
    const { processes = 1 } = this.#host;
    const most = Math.ceil((isLikelyLoop ? mostGreetingsOfLoop : mostGreetings) / processes);
    const place = this.#greetings.enter(from, most, settings.connectTimeout);
    return attempt.waitForTurn(place, isLikelyLoop ? 'loop' : 'server-unreachable');
  }

  /**
   * Ends a session and its transfers at an administrator's request.
   *
   * @returns how many data connections live on, as the kernel carries them; undefined: there is no such session
   */
  closeByAdministrator(id: number): number | undefined {
    return this.#live.get(id)?.closeByAdministrator();
  }

  /** Ends a session whose connection to the server has led back to another process of this relay. */
  endLoop(id: number): void {
    this.#live.get(id)?.endLoop();
  }

  /** Resolves when no session is left, after so many milliseconds, or by `over`. Sessions go on as they are. */
  idle(limit: number, over: AbortSignal): Promise<void> {
    return this.#admission.untilEmptyWithin(limit, over);
  }

  /** Ends sessions as they become idle. Resolves when all have ended: `shutDown` ends the rest. */
  close(): Promise<void> {
    this.#closing = true;
    for (const each of [...this.#attempts]) each.abort();
    for (const session of [...this.#live.values()]) session.drain();
    return this.#admission.untilEmpty();
  }

  /** Ends all, with their transfers. */
  shutDown(): void {
    for (const session of [...this.#live.values()]) session.shutDown();
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

  /** @throws {NoSession} */
  async #begin(
    attempt: Attempt,
    upstream: Socket,
    { reached, arrived, leave, share, counted, ...ends }: AdmittedEnds,
    plan: TlsPlan,
    settings: SessionsSettings,
  ): Promise<void> {
    const { client } = attempt;
    const server = endpointOfSocket(upstream.remoteAddress, upstream.remotePort);
    const local = endpointOfSocket(upstream.localAddress, upstream.localPort);
    if (client.stream.destroyed || !server || !local) {
      upstream.destroy();
      client.stream.destroy();
      leave();
      return;
    }
    const id = counted?.id ?? ++this.#lastId;
    const hungUp = this.#host.dialled?.(id, local, server);
    if (this.#host.isOwn(server) || this.#own.isServerOwn(local, server)) {
      // It would dial itself for this session, and once more for that one, until no session is left.
      upstream.destroy();
      this.#own.remember(local, server, hungUp);
      throw new NoSession('loop', refusalOf('loop'));
    }
    const forgetOwn = this.#own.addServer(local, server);
    const forget = (): void => {
      forgetOwn();
      hungUp?.();
    };
    keepAlive(upstream, settings.keepalive, true);
    const opened = await openServer(upstream, plan, settings.policy.tls, client.kind === 'tls').catch(
      (error: unknown) => {
        forget();
        throw error;
      },
    );
    client.stream.off('error', ignoreError);
    const inside = this.#borrowerFor(ends.client, settings)
      ? { address: ends.client.address, port: local.port }
      : local;
    const own = { client: arrived.address, server: local.address };
    const session: Session = new Session(
      {
        id,
        channels: { client, server: opened.channel, greeting: opened.greeting },
        endpoints: { client: ends.client, reached, server, inside, own },
        settings,
        tls: plan,
      },
      { plane: this.#host.plane, share: share.time, observe: this.#observe },
      {
        greeted: () => {
          attempt.greeted();
        },
        loggedIn: () => {
          share.rate.loggedIn();
        },
        over: () => {
          this.#live.delete(id);
          forget();
          leave();
        },
      },
    );
    this.#live.set(id, session);
    if (this.#closing) session.drain();
  }

  #whyRefuse({ client, original }: Ends): SessionReason | undefined {
    if (this.#closing) return 'shutdown';
    return this.#own.isClientOwn(client, original) ? 'loop' : undefined;
  }

  #refuse(channel: Channel, client: Endpoint, why: Pick<NoSession, 'reason' | 'reply' | 'error'>): void {
    const limits = this.#settings;
    refuseClient(channel, client, why, { admission: this.#admission, limits, observe: this.#observe });
  }

  /** Returns what it has from then on, or why it can't be. */
  #enter(
    { client, original }: Ends,
    settings: SessionsSettings,
    counted: Counted | undefined,
  ): Pick<AdmittedEnds, 'share' | 'leave'> | SessionReason {
    const from = clientOf(client.address, settings);
    const leave = this.#admission.enter(from, settings);
    if (typeof leave === 'string') return leave;
    const forget = this.#own.addClient(client, original);
    return {
      share: this.#shares.enter(from),
      leave: () => {
        leave();
        this.#shares.leave(from);
        forget();
        counted?.left();
      },
    };
  }
}

/** What TLS a session with this server may have. */
function tlsPlanFor(
  { host }: Upstream,
  { tls, policy, connectTimeout }: SessionsSettings,
  share: Share,
): TlsPlan {
  const { server, serverData } = policy.tls;
  return {
    client: tls.forClients?.newSession(share),
    server: tls.forServer && {
      tls: tls.forServer.newSession(host, share),
      kind: server === 'implicit' ? 'implicit' : 'explicit',
      protectsData: serverData === 'protected',
      timeout: connectTimeout,
    },
  };
}

/**
 * How many sessions of one client may wait for the server's greeting: fewer than vsftpd's backlog holds, where the next
 * client's connection would be lost and repeated after a second. And how many where they may be of a loop.
 */
const mostGreetings = 24;
const mostGreetingsOfLoop = 4;
