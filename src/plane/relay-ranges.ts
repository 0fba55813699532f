import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Observer } from '../events.ts';
import { factsOf } from '../expectation/expectation.ts';
import type { ExpectationTable } from '../expectation/table.ts';
import type { Address } from '../net/address.ts';
import type { Descriptors } from '../net/descriptors.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { formatPortRange, mergedPorts, portIn, type PortRange } from '../net/port-range.ts';
import {
  NoFreePortError,
  type OpenRange,
  type PinholeOwner,
  type PinholeRequest,
  type RangeRequest,
} from './plane.ts';
import type { RelayChannels } from './relay-channels.ts';
import { descriptorsOfChannel, RelayPinhole } from './relay-pinhole.ts';
import type { SharedListener } from './shared-listener.ts';

/** How many data channels an opaque session may have at once: nobody knows whether it has even logged in. */
const mostOfRange = 16;

/** How many listeners are made in one turn. */
const mostAtOnce = 32;

/** The ranges of ports that are open to the clients of opaque sessions. */
export class RelayRanges {
  /** With how many data channels each has. */
  readonly #ranges = new Map<RangeRequest, number>();
  readonly #listenerAt: (at: Endpoint) => SharedListener;
  readonly #channels: RelayChannels;
  readonly #expected: ExpectationTable<RelayPinhole>;
  readonly #descriptors: Descriptors;
  readonly #observe: Observer;

  /** @param listenerAt gives the listener of an endpoint, which is shared with the pinholes there */
  constructor(
    listenerAt: (at: Endpoint) => SharedListener,
    channels: RelayChannels,
    expected: ExpectationTable<RelayPinhole>,
    descriptors: Descriptors,
    observe: Observer,
  ) {
    this.#listenerAt = listenerAt;
    this.#channels = channels;
    this.#expected = expected;
    this.#descriptors = descriptors;
    this.#observe = observe;
  }

  /** @throws {NoFreePortError} where no port of the range can be had */
  async open(request: RangeRequest): Promise<OpenRange> {
    const { address, ports } = request;
    const acquired: SharedListener[] = [];
    const unavailable: PortRange[] = [];
    try {
      for (let port = ports.first; port <= ports.last; port++) {
        const listener = this.#listenerAt({ address, port });
        if (await listener.acquire()) acquired.push(listener);
        else unavailable.push({ first: port, last: port });
        // Others have their turn: to listen is told at once, before what else has come.
        if ((port - ports.first + 1) % mostAtOnce === 0) await setImmediate();
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
      unavailable: mergedPorts(unavailable),
      close: () => {
        if (!this.#ranges.delete(request)) return;
        for (const listener of acquired) listener.release();
      },
    };
  }

  /** Takes a connection that no pinhole is for; returns whether there is a range for it. */
  take(socket: Socket, at: Endpoint, from: Endpoint): boolean {
    const ranges = this.#rangesOf(at, from.address);
    const [range] = ranges;
    if (!range) return false;
    const open = this.#openOf(range);
    const free = open < mostOfRange ? this.#descriptors.take(descriptorsOfChannel) : undefined;
    if (!free) {
      socket.resetAndDestroy();
      this.#observe({ type: 'pinhole-refused', at, from, reason: 'too-many-channels' });
      return true;
    }
    this.#ranges.set(range, open + 1);
    const pinhole = this.#expect(range, at, ranges, free);
    this.#observe({ type: 'pinhole-taken', from, ...factsOf(pinhole.expectation) });
    this.#channels.carry(pinhole, socket);
    return true;
  }

  /**
   * Whose a connection may be: nobody knows which of its client's sessions announced it. The least used comes first;
   * those with another server than the oldest get none.
   */
  #rangesOf({ address, port }: Endpoint, peer: Address): RangeRequest[] {
    const all = [...this.#ranges.keys()].filter(
      (each) => each.address === address && each.peer === peer && portIn([each.ports], port) && each.isOpen(),
    );
    return all
      .filter(({ to }) => to === all[0]?.to)
      .sort((one, other) => this.#openOf(one) - this.#openOf(other));
  }

  #openOf(range: RangeRequest): number {
    return this.#ranges.get(range) ?? 0;
  }

  /** As if its data connection had been announced: it leads to the same port of the server. */
  #expect(
    range: RangeRequest,
    at: Endpoint,
    ranges: readonly RangeRequest[],
    free: () => void,
  ): RelayPinhole {
    const { session, peer, address, ports } = range;
    const to = { address: range.to, port: at.port };
    const own = { near: address, far: address };
    const request: PinholeRequest = {
      ...{ session, mode: 'passive', command: '', peer, alsoFrom: [], address, own, ports, to },
      ...{
        preferredPort: at.port,
        from: { address, port: 0 },
        timeout: 0,
        owner: this.#counted(range, ranges),
      },
    };
    // It is taken already, and never pending.
    const expectation = this.#expected.record(request, at);
    const pinhole = new RelayPinhole(expectation, request, true, free);
    // What it is for nobody knows: whatever comes of it is taken for a transfer.
    pinhole.accept();
    return pinhole;
  }

  /** Counted for one of them, and the life of each: an open data channel keeps a session. */
  #counted(range: RangeRequest, ranges: readonly RangeRequest[]): PinholeOwner {
    return {
      channelOpened: (channel) => {
        for (const { owner } of ranges) owner.channelOpened(channel);
      },
      channelClosed: (channel) => {
        const open = this.#ranges.get(range);
        if (open !== undefined) this.#ranges.set(range, open - 1);
        for (const { owner } of ranges) owner.channelClosed(channel);
      },
    };
  }
}
