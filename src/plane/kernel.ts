import { randomInt } from 'node:crypto';
import type { Observer, PinholeReason } from '../events.ts';
import { factsOf } from '../expectation/expectation.ts';
import type { ExpectationRegister } from '../expectation/register.ts';
import { ExpectationTable } from '../expectation/table.ts';
import { familyOf } from '../net/address.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';
import { NftError } from '../linux/nftables/error.ts';
import type { Flow } from '../linux/conntrack/flow.ts';
import type { FollowConntrack } from '../linux/conntrack/follow.ts';
import { KernelChannels } from './kernel-channels.ts';
import { KernelElements } from './kernel-elements.ts';
import { KernelPinhole } from './kernel-pinhole.ts';
import type { KernelTable } from './kernel-table.ts';
import {
  NoFreePortError,
  well,
  type DataProgress,
  type Pinhole,
  type Plane,
  type PinholeRequest,
} from './plane.ts';

export interface KernelPlaneOptions {
  readonly observe: Observer;
  /** It outlives the plane. */
  readonly table: KernelTable;
  readonly follow: FollowConntrack;
  /** Shared with the relay plane where both are in use. */
  readonly register?: ExpectationRegister;
}

/**
 * The plane on which the kernel forwards: a pinhole is elements of nftables, and no byte of a data channel passes
 * this process. Whatever ends it, data channels live on.
 *
 * @throws where connections cannot be followed
 */
export async function createKernelPlane(options: KernelPlaneOptions): Promise<Plane> {
  const plane = new KernelPlane(options);
  await plane.start();
  return plane;
}

/** How long the kernel may take to tell of a connection to a pinhole that has been taken back since. */
const lateness = 5000;

class KernelPlane implements Plane {
  readonly #options: KernelPlaneOptions;
  readonly #expected: ExpectationTable<KernelPinhole>;
  readonly #elements: KernelElements;
  readonly #channels: KernelChannels;
  /** Taken back a moment ago, when somebody may have come that nobody has heard of yet; by tuple. */
  readonly #late = new Map<string, { readonly pinhole: KernelPinhole; readonly until: number }>();
  /** Where a pinhole is being opened, which nobody can know yet; by tuple. */
  readonly #opening = new Set<string>();
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: KernelPlaneOptions) {
    const { observe, table, register } = options;
    this.#options = options;
    this.#elements = new KernelElements(table);
    const isWaiting = (): boolean => this.#expected.size + this.#late.size > 0;
    this.#channels = new KernelChannels(observe, {
      get isWaiting() {
        return isWaiting();
      },
      take: (flow) => this.#take(flow),
      failed: (pinhole) => {
        this.#bringBack(pinhole);
      },
    });
    this.#expected = new ExpectationTable({
      plane: 'kernel',
      register,
      expired: (pinhole) => {
        this.#closed(pinhole, 'expired');
      },
      look: () => {
        this.#channels.poll();
      },
      isBlocked: (at, peer) => this.#channels.isHeldByOld(at, peer),
    });
    const late = this.#late;
    // What comes to these ports may still be for those that were taken back.
    register?.join({
      has: () => false,
      get ports() {
        return [...late.values()].map(({ pinhole }) => pinhole.path.at.port);
      },
    });
    table.restores(() => {
      // One that was taken would let in a second connection.
      this.#channels.poll();
      const admitted = this.#expected.pending.filter(({ isAdmitted }) => isAdmitted);
      return admitted.map((pinhole) => this.#elements.again(pinhole));
    });
  }

  async start(): Promise<void> {
    const { follow, table } = this.#options;
    await this.#channels.start(follow, table.settings.mark);
    this.#sweep = setInterval(() => {
      this.#channels.poll();
      this.#channels.forgetUnestablished();
      const now = performance.now();
      for (const [key, { until }] of this.#late) if (until <= now) this.#late.delete(key);
    }, 1000).unref();
  }

  async open(request: PinholeRequest): Promise<Pinhole> {
    const { address, peer, ports, to, from } = request;
    const asked = performance.now();
    for (const end of [address, to.address, from.address]) {
      if (familyOf(end) !== familyOf(peer)) {
        throw new Error(`the kernel plane cannot forward ${peer} to ${end}: one is IPv4, the other IPv6`);
      }
    }
    if (this.#isClosed) throw new Error('the relay is stopping');
    // What has been taken by now is free again: the source of an active one too.
    if (from.port !== 0) this.#channels.poll();
    for (const at of this.#expected.freeEndpoints(request, (below) => randomInt(below))) {
      const pinhole = this.#expect(request, at);
      try {
        await this.#admit(pinhole);
      } catch (error) {
        this.#expected.close(pinhole);
        if (error instanceof NftError && error.kind === 'exists') continue;
        throw error;
      }
      return this.#opened(pinhole, asked);
    }
    throw new NoFreePortError(`no port of ${formatPortRange(ports)} at ${address} is free for ${peer}`);
  }

  get channels(): number {
    this.#channels.poll();
    return this.#channels.size;
  }

  progress(): DataProgress[] {
    return this.#channels.progress();
  }

  async close(grace: number): Promise<void> {
    this.#channels.poll();
    for (const pinhole of this.#expected.pending) this.#takeBack(pinhole, 'shutdown');
    // From here on nobody is let in: those who have come by now are all that there is to wait for.
    this.#options.table.flush();
    this.#channels.poll();
    if (grace > 0) await this.#channels.end(grace);
    else this.#channels.leave();
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweep);
    this.#channels.stop();
    this.#options.table.flush();
  }

  /** Reserves the tuple. */
  #expect(request: PinholeRequest, at: Endpoint): KernelPinhole {
    const { peer, to } = request;
    // A key of the kernel's set is one address.
    const expectation = this.#expected.record({ ...request, alsoFrom: [] }, at);
    const from = this.#elements.sourceFor(request, (ends) => this.#channels.isTracked(ends));
    const pinhole = new KernelPinhole(expectation, request, { peer, at, to, from });
    this.#expected.add(pinhole);
    this.#channels.watch();
    return pinhole;
  }

  async #admit(pinhole: KernelPinhole): Promise<void> {
    const tuple = tupleKey(pinhole.path.at, pinhole.path.peer);
    this.#opening.add(tuple);
    try {
      await this.#elements.admit(pinhole);
      // Who has come by now came to the pinhole that had the tuple before, which may have been another process's.
      this.#channels.poll();
    } finally {
      this.#opening.delete(tuple);
    }
    this.#late.delete(tuple);
    if (this.#expected.isPending(pinhole)) return;
    this.#dismiss(pinhole);
    throw new Error('the pinhole was withdrawn while it was being opened');
  }

  #opened(pinhole: KernelPinhole, asked: number): Pinhole {
    const { expectation, request } = pinhole;
    const seconds = (performance.now() - asked) / 1000;
    const { command, timeout } = request;
    this.#options.observe({ type: 'pinhole-opened', command, seconds, timeout, ...factsOf(expectation) });
    return {
      at: expectation.at,
      // As without the relay: some servers (pyftpdlib) connect before they answer a PORT, and answer only then.
      arm: () => Promise.resolve(),
      serve: (command) => {
        pinhole.serve(command);
      },
      accept: (command) => {
        pinhole.accept(command);
      },
      refuse: () => {
        pinhole.refuse();
      },
      // What the kernel forwards arrives in the order in which the server has sent it.
      connected: () => well,
      delivered: () => well,
      hurry: () => undefined,
      retire: () => {
        pinhole.isClosed = true;
      },
      abort: () => false,
      close: (reason) => {
        this.#channels.poll();
        pinhole.isClosed = true;
        this.#takeBack(pinhole, reason);
      },
    };
  }

  /** After a poll: it may have been taken, and nobody has asked yet. */
  #takeBack(pinhole: KernelPinhole, reason: PinholeReason): void {
    if (this.#expected.close(pinhole)) this.#closed(pinhole, reason);
  }

  #closed(pinhole: KernelPinhole, reason: PinholeReason): void {
    this.#options.observe({ type: 'pinhole-closed', reason, ...factsOf(pinhole.expectation) });
    this.#dismiss(pinhole);
  }

  /** Takes a pinhole's elements out of the kernel. */
  #dismiss(pinhole: KernelPinhole): void {
    if (!pinhole.isAdmitted) return;
    const { at, peer } = pinhole.path;
    this.#late.set(tupleKey(at, peer), { pinhole, until: performance.now() + lateness });
    this.#elements.dismiss(pinhole);
  }

  #take({ at, from }: Flow): KernelPinhole | undefined {
    const tuple = tupleKey(at, from.address);
    const late = this.#late.get(tuple);
    if (late) {
      this.#late.delete(tuple);
      return late.pinhole;
    }
    if (this.#opening.has(tuple)) return undefined;
    // By the kernel's clock it was in time, or it would not be here.
    const claim = this.#expected.claim(at, from.address, 0);
    if (claim.kind === 'refused') return undefined;
    this.#elements.clear(claim.pinhole);
    return claim.pinhole;
  }

  /**
   * A first packet has used the pinhole up, and no connection came of it: anybody can send one in the name of the peer.
   * For the time that it had left it is there again.
   */
  #bringBack(pinhole: KernelPinhole): void {
    const { at, peer, expires } = pinhole.expectation;
    const isWanted = !pinhole.isClosed && !this.#isClosed && expires > performance.now();
    if (!isWanted || !this.#expected.isFree(at, peer)) return;
    pinhole.isAdmitted = false;
    this.#expected.add(pinhole);
    this.#admit(pinhole).catch(() => {
      this.#expected.close(pinhole);
    });
  }
}

function tupleKey(at: Endpoint, peer: string): string {
  return `${peer} ${formatEndpoint(at)}`;
}
