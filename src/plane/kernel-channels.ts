import type { Observer, TransferCause } from '../events.ts';
import { factsOf } from '../expectation/expectation.ts';
import type { Address } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { isOver, type Flow } from '../linux/conntrack/flow.ts';
import type { Conntrack, FollowConntrack } from '../linux/conntrack/follow.ts';
import type { KernelPinhole } from './kernel-pinhole.ts';
import type { DataProgress, OwnedChannel } from './plane.ts';

/** A data channel, from its first packet on. */
interface Channel extends OwnedChannel {
  readonly flow: Flow;
  readonly pinhole: KernelPinhole;
  readonly started: number;
  state: string | undefined;
  ended: number | undefined;
}

/** Where connections come from. */
interface Pinholes {
  /** Whether somebody may come. */
  readonly isWaiting: boolean;
  /** The first packet of a connection has come: gives the pinhole that has let it in. */
  take(flow: Flow): KernelPinhole | undefined;
  /** No connection came of that packet. */
  failed(pinhole: KernelPinhole): void;
}

/** Where a server connects from in active mode (RFC 959 section 3.2). */
const dataPort = 20;
/** How long a connection may take from its first packet until it is established, in milliseconds. */
const mostOpening = 3000;
/** How often the kernel is asked what has happened, in ms: the longer nothing has, the less often. */
const shortestWait = 10;
const longestWait = 160;

/** The data channels that the kernel carries, as its connection tracking tells of them. */
export class KernelChannels {
  readonly #observe: Observer;
  readonly #pinholes: Pinholes;
  readonly #channels = new Map<number, Channel>();
  /** Those that have ended and were not told yet. */
  readonly #over = new Set<Channel>();
  #conntrack: Conntrack | undefined;
  #watch: NodeJS.Timeout | undefined;
  #wait = shortestWait;
  #isStopped = false;
  /** Called when a data channel has ended, while `end` waits for that. */
  #channelEnded: (() => void) | undefined;

  constructor(observe: Observer, pinholes: Pinholes) {
    this.#observe = observe;
    this.#pinholes = pinholes;
  }

  /** @throws where connections cannot be followed */
  async start(follow: FollowConntrack, mark: number): Promise<void> {
    this.#conntrack = await follow(mark, {
      event: (flow) => {
        this.#follow(flow);
      },
      missed: () => {
        this.#catchUp();
      },
    });
  }

  /** How many are open. */
  get size(): number {
    return [...this.#channels.values()].filter(({ ended }) => ended === undefined).length;
  }

  /** How far each of those that are open is, by one question to the kernel. */
  progress(): DataProgress[] {
    this.poll();
    const open = [...this.#channels.values()].filter(({ ended }) => ended === undefined);
    if (open.length === 0) return [];
    const flows = new Map(this.#conntrack?.list()?.map((flow) => [flow.id, flow]));
    return open.map(({ flow, pinhole }) => {
      const bytes = flows.get(flow.id)?.bytes;
      return { expectation: pinhole.expectation.id, ...byDirection(pinhole, bytes) };
    });
  }

  /** Whether the kernel tracks a connection between these ends, whosesoever. */
  isTracked(ends: { readonly from: Endpoint; readonly at: Endpoint }): boolean {
    return this.#conntrack?.find(ends) !== undefined;
  }

  /**
   * Whether a connection is under way by which the server's next one would be taken for a part of it, as it comes from
   * the same port. One that is over and not forgotten yet would do as much: the kernel is told to forget it.
   */
  isHeldByOld(at: Endpoint, peer: Address): boolean {
    const old = this.#conntrack?.find({ from: { address: peer, port: dataPort }, at });
    if (!old) return false;
    if (!isOver(old)) return true;
    this.#conntrack?.forget(old);
    return false;
  }

  /** Somebody is expected: from now on the kernel is asked often. */
  watch(): void {
    this.#wait = shortestWait;
    this.#watchOn();
  }

  /** Learns what has happened up to now. Returns whether that was anything. */
  poll(): boolean {
    const heard = this.#conntrack?.poll() ?? false;
    // Behind the events: the last may tell what a connection has carried, and be the end of it.
    for (const channel of this.#over) this.#tell(channel, this.#conntrack?.look(channel.flow));
    return heard;
  }

  /** Has the kernel forget the connections that were not established in time. */
  forgetUnestablished(): void {
    const now = performance.now();
    for (const { flow, state, started, ended } of this.#channels.values()) {
      const isLate = ended === undefined && isOpening(state) && now - started > mostOpening;
      if (isLate) this.#conntrack?.forget(flow);
    }
  }

  /** Waits until all have ended, for `grace` milliseconds at most. Only for the log: one that is open needs no process. */
  async end(grace: number): Promise<void> {
    const timer = setTimeout(() => {
      this.leave();
    }, grace);
    while (this.#channels.size > 0) await new Promise<void>((resolve) => (this.#channelEnded = resolve));
    clearTimeout(timer);
  }

  /** Waits no longer for those that are open. */
  leave(): void {
    this.poll();
    this.#channels.clear();
    this.#channelEnded?.();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#watch);
    this.#conntrack?.stop();
  }

  /** Asks again after a while, as long as there is something that may happen. */
  #watchOn(): void {
    if (this.#isStopped || (!this.#pinholes.isWaiting && this.#channels.size === 0)) return;
    this.#watch ??= setTimeout(() => {
      this.#watch = undefined;
      this.#wait = this.poll() ? shortestWait : Math.min(2 * this.#wait, longestWait);
      this.#watchOn();
    }, this.#wait).unref();
  }

  #follow(flow: Flow): void {
    const channel = this.#channels.get(flow.id) ?? this.#begin(flow);
    if (!channel) return;
    // What is over may still be told of, with less: 'destroy' names no state.
    if (channel.ended === undefined) {
      // A connection that was reset before it came about was refused.
      if (flow.state !== 'CLOSE' || !isOpening(channel.state)) channel.state = flow.state ?? channel.state;
      if (isOver(flow)) {
        this.#end(channel);
        if (isOpening(channel.state)) this.#pinholes.failed(channel.pinhole);
      }
    }
    if (flow.what === 'destroy') this.#tell(channel, flow);
  }

  /** The first packet of a connection has passed the gate. */
  #begin(flow: Flow): Channel | undefined {
    // Of the same tuple there may be an older connection, which an earlier process or pinhole has let in.
    if (flow.what !== 'new' && (flow.what !== 'listed' || isOver(flow))) return undefined;
    const pinhole = this.#pinholes.take(flow);
    if (!pinhole) return undefined;
    const channel: Channel = {
      ...{ flow, pinhole, started: performance.now(), state: flow.state, ended: undefined },
      get isAccepted() {
        return pinhole.isAccepted;
      },
      get isUnused() {
        return pinhole.isRefused;
      },
      abort: () => false,
    };
    this.#channels.set(flow.id, channel);
    this.#observe({ type: 'pinhole-taken', from: flow.from, ...factsOf(pinhole.expectation) });
    pinhole.request.owner.channelOpened(channel);
    return channel;
  }

  #end(channel: Channel): void {
    channel.ended = performance.now();
    this.#over.add(channel);
    channel.pinhole.request.owner.channelClosed(channel);
  }

  /** Events were lost: what is not there any more has ended. */
  #catchUp(): void {
    const flows = this.#conntrack?.list();
    if (!flows) return;
    for (const flow of flows) this.#follow(flow);
    const there = new Set(flows.map(({ id }) => id));
    for (const [id, channel] of this.#channels) {
      if (!there.has(id) && channel.ended === undefined) this.#end(channel);
    }
  }

  #tell(channel: Channel, flow: Flow | undefined): void {
    this.#over.delete(channel);
    if (!this.#channels.delete(channel.flow.id)) return;
    const { pinhole, started, ended = performance.now() } = channel;
    const { command, expectation } = pinhole;
    const cause = causeOf(channel);
    const facts = { command, seconds: (ended - started) / 1000, cause, ...factsOf(expectation) };
    if (channel.isUnused) {
      this.#observe({ type: 'data-channel-closed', ...facts });
    } else {
      const { uploaded = 0, downloaded = 0 } = byDirection(pinhole, flow?.bytes);
      this.#observe({ type: 'transfer-ended', ...facts, uploaded, downloaded });
    }
    this.#channelEnded?.();
  }
}

function causeOf({ state, pinhole }: Channel): TransferCause {
  if (isOpening(state))
    return pinhole.request.mode === 'passive' ? 'server-unreachable' : 'client-unreachable';
  if (state === 'CLOSE') return 'reset';
  return state === 'ESTABLISHED' ? 'data-idle-timeout' : 'complete';
}

/** In active mode the server is who connects. */
function byDirection(
  { request: { mode } }: KernelPinhole,
  bytes: Flow['bytes'],
): { readonly uploaded: number | undefined; readonly downloaded: number | undefined } {
  const { sent, returned } = bytes ?? {};
  return mode === 'passive'
    ? { uploaded: sent, downloaded: returned }
    : { uploaded: returned, downloaded: sent };
}

function isOpening(state: string | undefined): boolean {
  return state?.startsWith('SYN_') ?? false;
}
