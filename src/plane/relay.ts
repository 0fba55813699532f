import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { PinholeReason } from '../events.ts';
import { factsOf, type Expectation } from '../expectation/expectation.ts';
import { ExpectationRegister } from '../expectation/register.ts';
import { ExpectationTable } from '../expectation/table.ts';
import { unlimited, type Descriptors } from '../net/descriptors.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';
import { ignoreError } from '../net/socket.ts';
import { requireBorrowing } from './borrowing.ts';
import {
  NoFreePortError,
  type OpenRange,
  type Pinhole,
  type PinholeRequest,
  type RangePlane,
  type RangeRequest,
} from './plane.ts';
import { RelayChannels, type RelayChannelsOptions } from './relay-channels.ts';
import { descriptorsOfChannel, Lease } from './relay-lease.ts';
import { RelayRanges } from './relay-ranges.ts';
import { SharedListener } from './shared-listener.ts';

export interface RelayPlaneOptions extends RelayChannelsOptions {
  /** Shared with the kernel plane where both are in use. */
  readonly register?: ExpectationRegister;
}

/** The plane on which this process listens, dials and copies the bytes. It needs no privilege. */
export function createRelayPlane(options: RelayPlaneOptions): RangePlane {
  return new RelayPlane(options);
}

class RelayPlane implements RangePlane {
  readonly #options: RelayPlaneOptions;
  readonly #descriptors: Descriptors;
  readonly #table = new ExpectationTable();
  readonly #register: ExpectationRegister;
  readonly #leases = new Map<number, Lease>();
  readonly #listeners = new Map<string, SharedListener>();
  readonly #channels: RelayChannels;
  readonly #ranges: RelayRanges;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: RelayPlaneOptions) {
    this.#options = options;
    this.#descriptors = options.descriptors ?? unlimited;
    this.#register = options.register ?? new ExpectationRegister();
    this.#register.join(this.#table);
    this.#channels = new RelayChannels(options);
    this.#ranges = new RelayRanges(
      (at) => this.#listenerAt(at),
      this.#channels,
      this.#register,
      this.#descriptors,
      options.observe,
    );
  }

  async open(request: PinholeRequest): Promise<Pinhole> {
    const free = takeDescriptors(this.#descriptors, descriptorsOfChannel);
    try {
      return await this.#openAt(request, free);
    } catch (error) {
      free();
      throw error;
    }
  }

  async #openAt(request: PinholeRequest, free: () => void): Promise<Pinhole> {
    const { address, peer, ports } = request;
    const isActive = request.mode === 'active';
    const candidates = this.#register.candidates(request, (below) => randomInt(below), performance.now());
    for (const port of candidates) {
      const at = { address, port };
      if (this.#register.has(at, peer) || (isActive && this.#register.isBlocked(at, peer))) continue;
      const lease = this.#lease(request, at, free);
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

  get channels(): number {
    return this.#channels.size;
  }

  openRange(request: RangeRequest): Promise<OpenRange> {
    return this.#ranges.open(request);
  }

  async close(grace: number): Promise<void> {
    for (const lease of [...this.#leases.values()]) this.#takeBack(lease, 'shutdown');
    await this.#channels.close(grace);
    await Promise.all([...this.#listeners.values()].map((listener) => listener.closed));
  }

  /** Reserves the tuple: nobody else gets it while the listener comes up. */
  #lease(request: PinholeRequest, at: Endpoint, free: () => void): Lease {
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
      expires: performance.now() + timeout,
    };
    const armed = mode === 'passive';
    const lease = new Lease(expectation, request, armed, free);
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
      get channel() {
        return lease.channel && lease;
      },
      arm: () => {
        lease.isArmed = true;
        const { early } = lease;
        lease.early = undefined;
        if (early) this.#channels.carry(lease, early);
        return Promise.resolve();
      },
      serve: (command) => {
        lease.serve(command);
      },
      accept: () => {
        lease.accept();
      },
      refuse: () => {
        lease.refuse();
      },
      connected: () => lease.connected(),
      delivered: (transfer) => lease.delivered(transfer),
      hurry: () => {
        lease.hurry();
      },
      close: (reason) => {
        this.#takeBack(lease, reason);
        lease.giveUp();
      },
      abandon: () => {
        if (!lease.command) lease.abort('reset');
      },
      abort: (cause) => {
        lease.abort(cause);
        return lease.channel !== undefined;
      },
    };
  }

  #takeBack(lease: Lease, reason: PinholeReason): void {
    const { early, expectation } = lease;
    lease.early = undefined;
    early?.resetAndDestroy();
    if (!early && !this.#leases.has(expectation.id)) return;
    lease.free();
    this.#options.observe({ type: 'pinhole-closed', reason, ...factsOf(expectation) });
    if (!early) this.#release(lease);
  }

  #expire(): void {
    for (const { id } of this.#table.expire(performance.now())) {
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
    const { borrowing } = this.#options;
    // To learn it when the connection is there would be too late.
    if (isBorrowed(request) || request.from.address !== request.own.far) requireBorrowing(borrowing);
    const listener = await this.#listen(request, at);
    if (!listener) return false;
    if (!isBorrowed(request)) return true;
    try {
      lease.unlead = await requireBorrowing(borrowing).lead(
        { peer, at, to: listener.endpoint },
        request.timeout,
      );
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
    const free = takeDescriptors(this.#descriptors, 1);
    const listener = new SharedListener(
      bound,
      (socket) => {
        this.#accept(socket, at);
      },
      (gone) => {
        free();
        if (this.#listeners.get(key) === gone) this.#listeners.delete(key);
      },
    );
    this.#listeners.set(key, listener);
    return listener;
  }

  #accept(socket: Socket, at: Endpoint): void {
    // A peer that has reset the connection already is nobody's.
    const from = endpointOfSocket(socket.remoteAddress, socket.remotePort);
    if (!from) {
      socket.destroy();
      return;
    }
    const claim = this.#table.claim(at, from.address, performance.now());
    if (claim.kind === 'refused') {
      if (this.#ranges.take(socket, at, from)) return;
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
    this.#register.used(lease.expectation, performance.now());
    this.#options.observe({ type: 'pinhole-taken', from, ...factsOf(lease.expectation) });
    lease.take();
    if (lease.isArmed) {
      this.#channels.carry(lease, socket);
    } else {
      socket.on('error', ignoreError);
      lease.early = socket;
    }
  }
}

/** @throws where there are not so many left */
function takeDescriptors(descriptors: Descriptors, count: number): () => void {
  const give = descriptors.take(count);
  if (!give) throw new Error('no descriptors are left for another data connection (ulimit -n)');
  return give;
}

/** Whether the peer will connect to an address that is not this host's. */
function isBorrowed({ address, own }: PinholeRequest): boolean {
  return address !== own.near;
}
