import { randomInt } from 'node:crypto';
import type { Socket } from 'node:net';
import type { PinholeReason } from '../events.ts';
import { factsOf } from '../expectation/expectation.ts';
import type { ExpectationRegister } from '../expectation/register.ts';
import { ExpectationTable } from '../expectation/table.ts';
import { NftError } from '../linux/nftables/error.ts';
import { unlimited, type Descriptors } from '../net/descriptors.ts';
import { endpointOfSocket, formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';
import { ignoreError } from '../net/socket.ts';
import { requireBorrowing } from './borrowing.ts';
import {
  NoFreePortError,
  type DataProgress,
  type OpenRange,
  type Pinhole,
  type PinholeRequest,
  type RangePlane,
  type RangeRequest,
} from './plane.ts';
import { type ChannelLimits, RelayChannels, type RelayChannelsOptions } from './relay-channels.ts';
import { RelayHandle } from './relay-handle.ts';
import { descriptorsOfChannel, RelayPinhole } from './relay-pinhole.ts';
import { RelayRanges } from './relay-ranges.ts';
import { SharedListener } from './shared-listener.ts';

export interface RelayPlaneOptions extends RelayChannelsOptions {
  /** Shared with the kernel plane where both are in use. */
  readonly register?: ExpectationRegister;
}

/** The plane on which this process listens, dials and copies the bytes. It needs no privilege. */
export function createRelayPlane(options: RelayPlaneOptions): RelayPlane {
  return new RelayPlane(options);
}

/** What `createRelayPlane` makes. */
export class RelayPlane implements RangePlane {
  readonly #options: RelayPlaneOptions;
  readonly #descriptors: Descriptors;
  readonly #expected: ExpectationTable<RelayPinhole>;
  readonly #listeners = new Map<string, SharedListener>();
  readonly #channels: RelayChannels;
  readonly #ranges: RelayRanges;
  /** One for all pinholes. */
  readonly #keeper = {
    arm: (pinhole: RelayPinhole): void => {
      this.#arm(pinhole);
    },
    close: (pinhole: RelayPinhole, reason: PinholeReason): void => {
      this.#takeBack(pinhole, reason);
      pinhole.giveUp();
    },
  };

  constructor(options: RelayPlaneOptions) {
    this.#options = options;
    this.#descriptors = options.descriptors ?? unlimited;
    this.#expected = new ExpectationTable({
      plane: 'relay',
      register: options.register,
      expired: (pinhole) => {
        this.#closed(pinhole, 'expired');
      },
    });
    this.#channels = new RelayChannels(options);
    this.#ranges = new RelayRanges(
      (at) => this.#listenerAt(at),
      this.#channels,
      this.#expected,
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
    const asked = performance.now();
    for (const at of this.#expected.freeEndpoints(request, (below) => randomInt(below))) {
      const isArmed = request.mode === 'passive';
      const pinhole = new RelayPinhole(this.#expected.record(request, at), request, isArmed, free);
      // Nobody else gets the tuple while the listener comes up.
      this.#expected.add(pinhole);
      let isOpen = false;
      try {
        isOpen = await this.#enter(pinhole);
      } finally {
        if (!isOpen) this.#expected.close(pinhole);
      }
      if (!isOpen) continue;
      if (!this.#expected.isPending(pinhole)) throw new Error('the relay is stopping');
      return this.#opened(pinhole, asked);
    }
    throw new NoFreePortError(`no port of ${formatPortRange(ports)} at ${address} is free for ${peer}`);
  }

  get channels(): number {
    return this.#channels.size;
  }

  /** Data channels that begin from now on have these. */
  configure(limits: ChannelLimits): void {
    this.#channels.configure(limits);
  }

  progress(): DataProgress[] {
    return this.#channels.progress();
  }

  openRange(request: RangeRequest): Promise<OpenRange> {
    return this.#ranges.open(request);
  }

  async close(grace: number): Promise<void> {
    for (const pinhole of this.#expected.pending) this.#takeBack(pinhole, 'shutdown');
    await this.#channels.close(grace);
    await Promise.all([...this.#listeners.values()].map((listener) => listener.closed));
  }

  #opened(pinhole: RelayPinhole, asked: number): Pinhole {
    const { expectation, request } = pinhole;
    const seconds = (performance.now() - asked) / 1000;
    const { command, timeout } = request;
    this.#options.observe({ type: 'pinhole-opened', command, seconds, timeout, ...factsOf(expectation) });
    return new RelayHandle(pinhole, this.#keeper);
  }

  #arm(pinhole: RelayPinhole): void {
    pinhole.isArmed = true;
    const { early } = pinhole;
    pinhole.early = undefined;
    if (early) this.#channels.carry(pinhole, early);
  }

  /** Also one that was taken by a connection which still waits for it to be armed. */
  #takeBack(pinhole: RelayPinhole, reason: PinholeReason): void {
    const { early } = pinhole;
    pinhole.early = undefined;
    early?.resetAndDestroy();
    if (this.#expected.close(pinhole)) this.#closed(pinhole, reason);
    else if (early) this.#tellClosed(pinhole, reason);
  }

  /** Nobody has come, and nobody is expected any more. */
  #closed(pinhole: RelayPinhole, reason: PinholeReason): void {
    this.#tellClosed(pinhole, reason);
    this.#release(pinhole);
  }

  #tellClosed(pinhole: RelayPinhole, reason: PinholeReason): void {
    pinhole.free();
    this.#options.observe({ type: 'pinhole-closed', reason, ...factsOf(pinhole.expectation) });
  }

  /** It is pending no longer; with its last pinhole a port's listener goes. */
  #release({ unlead, expectation }: RelayPinhole): void {
    unlead?.();
    this.#listeners.get(formatEndpoint(expectation.at))?.release();
  }

  /** Returns whether the port could be had. */
  async #enter(pinhole: RelayPinhole): Promise<boolean> {
    const { request, expectation } = pinhole;
    const { peer, at } = expectation;
    const { borrowing } = this.#options;
    // To learn it when the connection is there would be too late.
    if (isBorrowed(request) || request.from.address !== request.own.far) requireBorrowing(borrowing);
    const listener = await this.#listen(request, at);
    if (!listener) return false;
    if (!isBorrowed(request)) return true;
    try {
      pinhole.unlead = await requireBorrowing(borrowing).lead(
        { peer, at, to: listener.endpoint },
        request.timeout,
      );
    } catch (error) {
      // Taken back in the meantime, it has been released.
      if (this.#expected.isPending(pinhole)) listener.release();
      if (error instanceof NftError && error.kind === 'exists') return false;
      throw error;
    }
    // Taken back in the meantime, when there was nothing to take back.
    if (!this.#expected.isPending(pinhole)) pinhole.unlead();
    return true;
  }

  /**
   * Listens where the peer will connect to, or for a borrowed address where it will be led; all pinholes of an endpoint
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
    const claim = this.#expected.claim(at, from.address);
    if (claim.kind === 'refused') {
      if (this.#ranges.take(socket, at, from)) return;
      socket.resetAndDestroy();
      this.#options.observe({ type: 'pinhole-refused', at, from, reason: claim.reason });
      return;
    }
    const { pinhole } = claim;
    this.#release(pinhole);
    this.#options.observe({ type: 'pinhole-taken', from, ...factsOf(pinhole.expectation) });
    pinhole.take();
    if (pinhole.isArmed) {
      this.#channels.carry(pinhole, socket);
    } else {
      socket.on('error', ignoreError);
      pinhole.early = socket;
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
