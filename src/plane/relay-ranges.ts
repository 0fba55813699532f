import type { Socket } from 'node:net';
import type { Observer } from '../events.ts';
import { factsOf, type Expectation } from '../expectation/expectation.ts';
import type { ExpectationRegister } from '../expectation/register.ts';
import type { Address } from '../net/address.ts';
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
import { newLease, type Lease } from './relay-lease.ts';
import type { SharedListener } from './shared-listener.ts';

/** How many data channels an opaque session may have at once: nobody knows whether it has even logged in. */
const mostOfRange = 16;

/** The ranges of ports that are open to the clients of opaque sessions. */
export class RelayRanges {
  /** With how many data channels each has. */
  readonly #ranges = new Map<RangeRequest, number>();
  readonly #listenerAt: (at: Endpoint) => SharedListener;
  readonly #channels: RelayChannels;
  readonly #register: ExpectationRegister;
  readonly #observe: Observer;

  /** @param listenerAt gives the listener of an endpoint, which is shared with the pinholes there */
  constructor(
    listenerAt: (at: Endpoint) => SharedListener,
    channels: RelayChannels,
    register: ExpectationRegister,
    observe: Observer,
  ) {
    this.#listenerAt = listenerAt;
    this.#channels = channels;
    this.#register = register;
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
    const range = this.#rangeOf(at, from.address);
    if (!range) return false;
    const open = this.#ranges.get(range) ?? 0;
    if (open >= mostOfRange) {
      socket.resetAndDestroy();
      this.#observe({ type: 'pinhole-refused', at, from, reason: 'too-many-channels' });
      return true;
    }
    this.#ranges.set(range, open + 1);
    const lease = this.#lease(range, at);
    this.#observe({ type: 'pinhole-taken', from, ...factsOf(lease.expectation) });
    this.#channels.carry(lease, socket);
    return true;
  }

  #rangeOf({ address, port }: Endpoint, peer: Address): RangeRequest | undefined {
    return [...this.#ranges.keys()].find(
      (each) => each.address === address && each.peer === peer && portIn([each.ports], port),
    );
  }

  /** As if its data connection had been announced: it leads to the same port of the server. */
  #lease(range: RangeRequest, at: Endpoint): Lease {
    const { session, peer, address, ports } = range;
    const to = { address: range.to, port: at.port };
    const own = { near: address, far: address };
    const request: PinholeRequest = {
      ...{ session, mode: 'passive', command: '', peer, alsoFrom: [], address, own, ports, to },
      ...{ preferredPort: at.port, from: { address, port: 0 }, timeout: 0, owner: this.#counted(range) },
    };
    const id = this.#register.nextId();
    const expectation: Expectation = {
      ...{ id, session, plane: 'relay', mode: 'passive', peer, alsoFrom: [], at, to },
      expires: 0,
    };
    return newLease(expectation, request, true);
  }

  #counted(range: RangeRequest): PinholeOwner {
    return {
      channelOpened: () => {
        range.owner.channelOpened();
      },
      channelClosed: () => {
        const open = this.#ranges.get(range);
        if (open !== undefined) this.#ranges.set(range, open - 1);
        range.owner.channelClosed();
      },
    };
  }
}
