import { randomInt } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import type { Observer, PinholeReason, TransferCause, TransferCommand } from '../events.ts';
import { factsOf, type Expectation } from '../expectation/expectation.ts';
import { portCandidates } from '../expectation/port-pool.ts';
import { ExpectationRegister } from '../expectation/register.ts';
import { ExpectationTable } from '../expectation/table.ts';
import type { Address } from '../net/address.ts';
import { dial, type Dialling, type LocalEnd } from '../net/dial.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { messageOf } from '../net/error.ts';
import { ignoreError } from '../net/socket.ts';
import { formatPortRange } from '../net/port-range.ts';
import type { Borrowing } from './borrowing.ts';
import { joinDataChannel, type DataChannelEnd } from './data-channel.ts';
import { NoFreePortError, type Pinhole, type Plane, type PinholeRequest } from './plane.ts';

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

const nothing = { uploaded: 0, downloaded: 0, error: undefined };

/** The plane on which this process listens, dials and copies the bytes. It needs no privilege. */
export function createRelayPlane(options: RelayPlaneOptions): Plane {
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
  /** Takes back what leads a borrowed address here. */
  unlead: (() => void) | undefined;
}

class RelayPlane implements Plane {
  readonly #options: RelayPlaneOptions;
  readonly #table = new ExpectationTable();
  readonly #register: ExpectationRegister;
  readonly #leases = new Map<number, Lease>();
  readonly #listeners = new Map<string, SharedListener>();
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
    const lease: Lease = {
      expectation,
      request,
      armed,
      early: undefined,
      command: undefined,
      unlead: undefined,
    };
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
      },
      close: (reason) => {
        this.#takeBack(lease, reason);
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
    const key = formatEndpoint(at);
    let listener = this.#listeners.get(key);
    if (!listener) {
      listener = new SharedListener(
        isBorrowed(request) ? { address: request.own.near, port: 0 } : at,
        (socket) => {
          this.#accept(socket, at);
        },
        (gone) => {
          if (this.#listeners.get(key) === gone) this.#listeners.delete(key);
        },
      );
      this.#listeners.set(key, listener);
    }
    return (await listener.acquire()) ? listener : undefined;
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

  #dial(request: PinholeRequest, accepted: Socket): Dialling {
    const { to, from, own } = request;
    const { connectTimeout } = this.#options;
    const target = { host: to.address, port: to.port };
    if (from.address === own.far) return dial(target, connectTimeout, localsOf(request));
    const port = from.port === 0 ? (accepted.remotePort ?? 0) : from.port;
    return this.#borrowing().dial(target, { address: from.address, port }, connectTimeout, own.far);
  }

  #carry(lease: Lease, accepted: Socket): void {
    lease.request.owner.channelOpened();
    const started = performance.now();
    const { mode } = lease.request;
    const ended = (end: DataChannelEnd): void => {
      this.#channels.delete(channel);
      this.#options.observe({
        type: 'transfer-ended',
        command: lease.command,
        seconds: (performance.now() - started) / 1000,
        ...end,
        ...factsOf(lease.expectation),
      });
      lease.request.owner.channelClosed();
      this.#channelEnded?.();
    };

    const dialling = this.#dial(lease.request, accepted);
    let aborted: TransferCause | undefined;
    let channel: { abort(cause: TransferCause): void } = {
      abort: (cause) => {
        aborted = cause;
        dialling.abort();
      },
    };
    this.#channels.add(channel);
    dialling.connected.then(
      (dialled) => {
        this.#channels.delete(channel);
        if (aborted || accepted.destroyed) {
          accepted.resetAndDestroy();
          dialled.resetAndDestroy();
          ended({ ...nothing, cause: aborted ?? (mode === 'passive' ? 'client-reset' : 'server-reset') });
          return;
        }
        accepted.off('error', ignoreError);
        const ends =
          mode === 'passive' ? { client: accepted, server: dialled } : { client: dialled, server: accepted };
        channel = joinDataChannel(ends, this.#options.dataIdleTimeout, ended);
        this.#channels.add(channel);
      },
      (error: unknown) => {
        this.#channels.delete(channel);
        // What a direct connection to a closed port gets.
        accepted.resetAndDestroy();
        if (aborted) ended({ ...nothing, cause: aborted });
        else {
          const cause = mode === 'passive' ? 'server-unreachable' : 'client-unreachable';
          ended({ ...nothing, cause, error: messageOf(error) });
        }
      },
    );
    // Nothing is read from it yet; what happens to it is seen when it is.
    accepted.on('error', ignoreError);
  }
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
