import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type {
  Observer,
  PinholeReason,
  TransferCause,
  TransferCommand,
  TransferProtection,
} from '../events.ts';
import { factsOf, type Expectation } from '../expectation/expectation.ts';
import { portCandidates } from '../expectation/port-pool.ts';
import { ExpectationRegister } from '../expectation/register.ts';
import { ExpectationTable } from '../expectation/table.ts';
import type { Address } from '../net/address.ts';
import { tcpChannel, type Channel } from '../net/channel.ts';
import { dial, type Dialling, type LocalEnd } from '../net/dial.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError, reset } from '../net/socket.ts';
import { formatPortRange, portIn } from '../net/port-range.ts';
import type { Borrowing } from './borrowing.ts';
import { joinDataChannel, type DataChannelEnd, type DataChannelEnds } from './data-channel.ts';
import {
  NoFreePortError,
  type Pinhole,
  type PinholeOwner,
  type PinholeRequest,
  type RangePlane,
  type RangeRequest,
  type OpenRange,
  type Protect,
  type Protection,
} from './plane.ts';

export interface RelayPlaneOptions {
  readonly observe: Observer;
  /** Milliseconds until a data connection that the relay dials is given up. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte until a data channel is reset. */
  readonly dataIdleTimeout: number;
  /** Needed for requests that borrow addresses. */
  readonly borrowing?: Borrowing | undefined;
  /** Shared with the kernel plane where both are in use. */
  readonly register?: ExpectationRegister;
}

/** How many data channels an opaque session may have at once: nobody knows whether it has even logged in. */
const mostOfRange = 16;

const nothing = { uploaded: 0, downloaded: 0, error: undefined };

/** The plane on which this process listens, dials and copies the bytes. It needs no privilege. */
export function createRelayPlane(options: RelayPlaneOptions): RangePlane {
  return new RelayPlane(options);
}

/** A pending pinhole, and what its data channel needs to know. */
interface Lease {
  readonly expectation: Expectation;
  readonly request: PinholeRequest;
  armed: boolean;
  /** A connection that came before the pinhole was armed: pyftpdlib dials before it answers PORT. */
  early: Socket | undefined;
  command: TransferCommand | undefined;
  /** Settled when the command has come that the data channel serves. */
  readonly served: Promise<void>;
  readonly serve: () => void;
  /** No command will come any more: `served` is rejected, if it has not come. */
  readonly giveUp: () => void;
  /** Resets the data channel that has come of it. */
  abort: ((cause: TransferCause) => void) | undefined;
  /** Takes back what leads a borrowed address here. */
  unlead: (() => void) | undefined;
}

function newLease(expectation: Expectation, request: PinholeRequest, armed: boolean): Lease {
  let serve = (): void => undefined;
  let giveUp = (): void => undefined;
  const served = new Promise<void>((resolve, reject) => {
    serve = resolve;
    giveUp = () => {
      reject(new Error('no command came for the data channel'));
    };
  });
  // Nobody may be waiting for it.
  served.catch(() => undefined);
  return {
    expectation,
    request,
    armed,
    served,
    serve,
    giveUp,
    abort: undefined,
    early: undefined,
    command: undefined,
    unlead: undefined,
  };
}

class RelayPlane implements RangePlane {
  readonly #options: RelayPlaneOptions;
  readonly #table = new ExpectationTable();
  readonly #register: ExpectationRegister;
  readonly #leases = new Map<number, Lease>();
  readonly #listeners = new Map<string, SharedListener>();
  /** With how many data channels each has. */
  readonly #ranges = new Map<RangeRequest, number>();
  readonly #channels = new Set<{ abort(cause: TransferCause): void }>();
  /** Called when a data channel has ended, while `close` waits for that. */
  #channelEnded: (() => void) | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: RelayPlaneOptions) {
    this.#options = options;
    this.#register = options.register ?? new ExpectationRegister();
    this.#register.join(this.#table);
  }

  async open(request: PinholeRequest): Promise<Pinhole> {
    const { address, peer, ports, preferredPort } = request;
    for (const port of portCandidates(ports, preferredPort, (below) => randomInt(below))) {
      const at = { address, port };
      if (this.#register.has(at, peer)) continue;
      const lease = this.#lease(request, at);
      let isOpen = false;
      try {
        isOpen = await this.#enter(lease);
      } finally {
        if (!isOpen) this.#forget(lease);
      }
      if (!isOpen) continue;
      if (!this.#leases.has(lease.expectation.id)) throw new Error('the relay is stopping');
      return this.#opened(lease);
    }
    throw new NoFreePortError(`no port of ${formatPortRange(ports)} at ${address} is free for ${peer}`);
  }

  async openRange(request: RangeRequest): Promise<OpenRange> {
    const { address, ports } = request;
    const acquired: SharedListener[] = [];
    try {
      for (let port = ports.first; port <= ports.last; port++) {
        const listener = this.#listenerAt({ address, port });
        if (await listener.acquire()) acquired.push(listener);
      }
    } catch (error) {
      for (const listener of acquired) listener.release();
      throw error;
    }
    if (acquired.length === 0) {
      throw new NoFreePortError(`no port of ${formatPortRange(ports)} at ${address} is free`);
    }
    this.#ranges.set(request, 0);
    return {
      close: () => {
        if (!this.#ranges.delete(request)) return;
        for (const listener of acquired) listener.release();
      },
    };
  }

  async close(grace: number): Promise<void> {
    for (const lease of [...this.#leases.values()]) this.#takeBack(lease, 'shutdown');
    const abort = (): void => {
      for (const channel of [...this.#channels]) channel.abort('shutdown');
    };
    // Without a grace it is done before this returns: the process may end next, and its end says FIN.
    if (grace <= 0) abort();
    const timer = setTimeout(abort, grace);
    while (this.#channels.size > 0) await new Promise<void>((resolve) => (this.#channelEnded = resolve));
    clearTimeout(timer);
    await Promise.all([...this.#listeners.values()].map((listener) => listener.closed));
  }

  /** Reserves the tuple: nobody else gets it while the listener comes up. */
  #lease(request: PinholeRequest, at: Endpoint): Lease {
    const { session, mode, peer, alsoFrom, to, timeout } = request;
    const expectation: Expectation = {
      id: this.#register.nextId(),
      session,
      plane: 'relay',
      mode,
      peer,
      alsoFrom,
      at,
      to,
      expires: Date.now() + timeout,
    };
    const armed = mode === 'passive';
    const lease = newLease(expectation, request, armed);
    this.#table.add(expectation);
    this.#leases.set(expectation.id, lease);
    this.#sweep ??= setInterval(() => {
      this.#expire();
    }, 1000).unref();
    return lease;
  }

  #forget({ expectation }: Lease): void {
    this.#table.remove(expectation);
    this.#leases.delete(expectation.id);
    if (this.#leases.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #opened(lease: Lease): Pinhole {
    const { expectation, request } = lease;
    this.#options.observe({ type: 'pinhole-opened', command: request.command, ...factsOf(expectation) });
    return {
      at: expectation.at,
      arm: () => {
        lease.armed = true;
        const { early } = lease;
        lease.early = undefined;
        if (early) this.#carry(lease, early);
        return Promise.resolve();
      },
      serve: (command) => {
        lease.command ??= command;
        lease.serve();
      },
      close: (reason) => {
        this.#takeBack(lease, reason);
        lease.giveUp();
      },
      abandon: () => {
        if (!lease.command) lease.abort?.('reset');
      },
    };
  }

  #takeBack(lease: Lease, reason: PinholeReason): void {
    const { early, expectation } = lease;
    lease.early = undefined;
    early?.resetAndDestroy();
    if (!early && !this.#leases.has(expectation.id)) return;
    this.#options.observe({ type: 'pinhole-closed', reason, ...factsOf(expectation) });
    if (!early) this.#release(lease);
  }

  #expire(): void {
    for (const { id } of this.#table.expire(Date.now())) {
      const lease = this.#leases.get(id);
      if (lease) this.#takeBack(lease, 'expired');
    }
  }

  /** The tuple is free again; with its last lease a port's listener goes. */
  #release(lease: Lease): void {
    this.#forget(lease);
    lease.unlead?.();
    this.#listeners.get(formatEndpoint(lease.expectation.at))?.release();
  }

  /** Returns whether the port could be had. */
  async #enter(lease: Lease): Promise<boolean> {
    const { request, expectation } = lease;
    const { peer, at } = expectation;
    // To learn it when the connection is there would be too late.
    if (isBorrowed(request) || request.from.address !== request.own.far) this.#borrowing();
    const listener = await this.#listen(request, at);
    if (!listener) return false;
    if (!isBorrowed(request)) return true;
    try {
      lease.unlead = await this.#borrowing().lead({ peer, at, to: listener.endpoint }, request.timeout);
    } catch (error) {
      // Taken back in the meantime, it has been released.
      if (this.#leases.has(expectation.id)) listener.release();
      throw error;
    }
    // Taken back in the meantime, when there was nothing to take back.
    if (!this.#leases.has(expectation.id)) lease.unlead();
    return true;
  }

  /**
   * Listens where the peer will connect to, or for a borrowed address where it will be led; all leases of an endpoint
   * share that.
   */
  async #listen(request: PinholeRequest, at: Endpoint): Promise<SharedListener | undefined> {
    const listener = this.#listenerAt(at, isBorrowed(request) ? { address: request.own.near, port: 0 } : at);
    return (await listener.acquire()) ? listener : undefined;
  }

  /** @param bound where it listens in truth */
  #listenerAt(at: Endpoint, bound: Endpoint = at): SharedListener {
    const key = formatEndpoint(at);
    const known = this.#listeners.get(key);
    if (known) return known;
    const listener = new SharedListener(
      bound,
      (socket) => {
        this.#accept(socket, at);
      },
      (gone) => {
        if (this.#listeners.get(key) === gone) this.#listeners.delete(key);
      },
    );
    this.#listeners.set(key, listener);
    return listener;
  }

  #borrowing(): Borrowing {
    const { borrowing } = this.#options;
    if (!borrowing) throw new Error('addresses of other hosts cannot be used');
    return borrowing;
  }

  #accept(socket: Socket, at: Endpoint): void {
    // A peer that has reset the connection already is nobody's.
    const from = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    if (!from) {
      socket.destroy();
      return;
    }
    const claim = this.#table.claim(at, from.address, Date.now());
    const range = claim.kind === 'refused' ? this.#rangeOf(at, from.address) : undefined;
    if (range) {
      this.#carryOf(range, at, from, socket);
      return;
    }
    if (claim.kind === 'refused') {
      socket.resetAndDestroy();
      this.#options.observe({ type: 'pinhole-refused', at, from, reason: claim.reason });
      return;
    }
    const lease = this.#leases.get(claim.expectation.id);
    if (!lease) {
      socket.resetAndDestroy();
      return;
    }
    this.#release(lease);
    this.#options.observe({ type: 'pinhole-taken', from, ...factsOf(lease.expectation) });
    if (lease.armed) {
      this.#carry(lease, socket);
    } else {
      socket.on('error', ignoreError);
      lease.early = socket;
    }
  }

  #rangeOf({ address, port }: Endpoint, peer: Address): RangeRequest | undefined {
    return [...this.#ranges.keys()].find(
      (each) => each.address === address && each.peer === peer && portIn([each.ports], port),
    );
  }

  /** A connection to a port of a range: it leads to the same port of the server. */
  #carryOf(range: RangeRequest, at: Endpoint, from: Endpoint, socket: Socket): void {
    const { session, peer, address, ports } = range;
    const open = this.#ranges.get(range) ?? 0;
    if (open >= mostOfRange) {
      socket.resetAndDestroy();
      this.#options.observe({ type: 'pinhole-refused', at, from, reason: 'too-many-channels' });
      return;
    }
    this.#ranges.set(range, open + 1);
    const owner: PinholeOwner = {
      channelOpened: () => {
        range.owner.channelOpened();
      },
      channelClosed: () => {
        if (this.#ranges.has(range)) this.#ranges.set(range, (this.#ranges.get(range) ?? 1) - 1);
        range.owner.channelClosed();
      },
    };
    const to = { address: range.to, port: at.port };
    const own = { near: address, far: address };
    const request: PinholeRequest = {
      ...{ session, mode: 'passive', command: '', peer, alsoFrom: [], address, own, ports, to, owner },
      ...{ preferredPort: at.port, from: { address, port: 0 }, timeout: 0 },
    };
    const expectation: Expectation = {
      ...{
        id: this.#register.nextId(),
        session,
        plane: 'relay',
        mode: 'passive',
        peer,
        alsoFrom: [],
        at,
        to,
      },
      expires: 0,
    };
    this.#options.observe({ type: 'pinhole-taken', from, ...factsOf(expectation) });
    this.#carry(newLease(expectation, request, true), socket);
  }

  #dial(request: PinholeRequest, accepted: Socket): Dialling {
    const { to, from, own } = request;
    const { connectTimeout } = this.#options;
    const target = { host: to.address, port: to.port };
    if (from.address === own.far) return dial(target, connectTimeout, localsOf(request));
    const port = from.port === 0 ? (accepted.remotePort ?? 0) : from.port;
    return this.#borrowing().dial(target, { address: from.address, port }, connectTimeout, own.far);
  }

  #carry(lease: Lease, accepted: Socket): void {
    const { owner, mode, protection } = lease.request;
    owner.channelOpened();
    const started = performance.now();
    const ended = (end: DataChannelEnd): void => {
      this.#channels.delete(channel);
      this.#options.observe({
        type: 'transfer-ended',
        command: lease.command,
        seconds: (performance.now() - started) / 1000,
        protection: nameOf(protection),
        ...end,
        ...factsOf(lease.expectation),
      });
      owner.channelClosed();
      this.#channelEnded?.();
    };

    const dialling = this.#dial(lease.request, accepted);
    let aborted: TransferCause | undefined;
    let giveUp = (): void => {
      dialling.abort();
    };
    let channel: { abort(cause: TransferCause): void } = {
      abort: (cause) => {
        aborted ??= cause;
        giveUp();
      },
    };
    this.#channels.add(channel);
    lease.abort = (cause) => {
      channel.abort(cause);
    };
    // A client that never says what it wants would hold both connections for ever.
    const patience = protection?.server && setTimeout(lease.giveUp, lease.request.timeout);
    const connect = async (): Promise<DataChannelEnds> => {
      const dialled = await dialling.connected.catch((error: unknown) => {
        throw new LegError(mode === 'passive' ? 'server-unreachable' : 'client-unreachable', error);
      });
      const sockets =
        mode === 'passive' ? { client: accepted, server: dialled } : { client: dialled, server: accepted };
      giveUp = () => {
        for (const socket of Object.values(sockets)) reset(socket);
      };
      try {
        if (aborted || accepted.destroyed) {
          throw new LegError(mode === 'passive' ? 'client-reset' : 'server-reset');
        }
        accepted.off('error', ignoreError);
        dialled.on('error', ignoreError);
        // pyftpdlib resets what begins before the command, and connects before it.
        const ends = protection ? await protect(sockets, protection, lease.served) : plain(sockets);
        dialled.off('error', ignoreError);
        return ends;
      } catch (error) {
        giveUp();
        throw error;
      }
    };
    connect()
      .finally(() => {
        clearTimeout(patience);
      })
      .then(
        (ends) => {
          this.#channels.delete(channel);
          channel = joinDataChannel(ends, this.#options.dataIdleTimeout, ended);
          this.#channels.add(channel);
        },
        (error: unknown) => {
          // What a direct connection to a closed port gets.
          accepted.resetAndDestroy();
          if (aborted) ended({ ...nothing, cause: aborted });
          else if (error instanceof LegError) ended({ ...nothing, cause: error.reason, error: error.words });
          else ended({ ...nothing, cause: 'server-unreachable', error: messageOf(error) });
        },
      );
    // Nothing is read from it yet; what happens to it is seen when it is.
    accepted.on('error', ignoreError);
  }
}

/** Why a leg of a data channel did not come up. */
class LegError extends Error {
  override readonly name = 'LegError';
  readonly reason: TransferCause;
  readonly words: string | undefined;

  constructor(reason: TransferCause, cause?: unknown) {
    super(reason, { cause });
    this.reason = reason;
    this.words = cause === undefined ? undefined : messageOf(cause);
  }
}

interface Legs {
  readonly client: Socket;
  readonly server: Socket;
}

function plain({ client, server }: Legs): DataChannelEnds {
  return { client: tcpChannel(client), server: tcpChannel(server) };
}

/**
 * Both handshakes at once: which of the two sides begins first depends on the client.
 *
 * @param begins when that with the server may begin
 */
async function protect(legs: Legs, protection: Protection, begins: Promise<void>): Promise<DataChannelEnds> {
  const leg = async (side: keyof Legs): Promise<Channel> => {
    const secure: Protect | undefined = protection[side];
    const socket = legs[side];
    if (!secure) return tcpChannel(socket);
    const begun = side === 'server' ? begins.then(() => secure(socket)) : secure(socket);
    return begun.catch((error: unknown) => {
      throw new LegError(`${side}-tls-failed`, error);
    });
  };
  const [client, server] = await Promise.all([leg('client'), leg('server')]);
  return { client, server };
}

function nameOf(protection: Protection | undefined): TransferProtection {
  if (!protection) return 'none';
  const sides = (['client', 'server'] as const).filter((side) => protection[side]);
  return sides.length === 2 ? 'both' : (sides[0] ?? 'none');
}

/** Whether the peer will connect to an address that is not this host's. */
function isBorrowed({ address, own }: PinholeRequest): boolean {
  return address !== own.near;
}

/**
 * Where the far end of a data connection is dialled from: the endpoint that was asked for (active mode: port 20, RFC
 * 959 section 3.2); where that can't be had, for want of privilege or because the tuple is in TIME_WAIT, any port of
 * the address; and any address where that is not this host's. Towards the server the system chooses as it did for the
 * control channel; a bind would cost a port for each.
 */
function localsOf({ mode, from }: PinholeRequest): LocalEnd[] {
  return mode === 'active' ? [from, { address: from.address }, {}] : [{}];
}

/** The listener of one endpoint, there as long as somebody is expected. */
class SharedListener {
  readonly #server: Server;
  readonly #listening: Promise<boolean>;
  #users = 0;
  readonly #gone: (listener: SharedListener) => void;
  readonly #address: Address;
  readonly closed: Promise<void>;

  /** Where it listens, once it does. */
  get endpoint(): Endpoint {
    const bound = this.#server.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
    return { address: this.#address, port };
  }

  constructor(
    { address, port }: Endpoint,
    accept: (socket: Socket) => void,
    gone: (listener: SharedListener) => void,
  ) {
    this.#gone = gone;
    this.#address = address;
    this.#server = createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true },
      accept,
    );
    this.closed = new Promise((resolve) => this.#server.once('close', resolve));
    this.#listening = new Promise((resolve, reject) => {
      this.#server.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
        else reject(error);
      });
      this.#server.listen({ host: address, port, exclusive: true }, () => {
        resolve(true);
      });
    });
  }

  async acquire(): Promise<boolean> {
    this.#users++;
    try {
      if (await this.#listening) return true;
    } catch (error) {
      this.release();
      throw error;
    }
    this.release();
    return false;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#gone(this);
    this.#server.close();
  }
}
