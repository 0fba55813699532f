import { randomInt } from 'node:crypto';
import type { Observer, PinholeReason, TransferCause, TransferCommand } from '../events.ts';
import { factsOf, type Expectation } from '../expectation/expectation.ts';
import type { ExpectationRegister } from '../expectation/register.ts';
import { ExpectationTable } from '../expectation/table.ts';
import { familyOf, type Address } from '../net/address.ts';
import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';
import { formatPortRange } from '../net/port-range.ts';
import type { Statement } from '../linux/nftables/statement.ts';
import {
  admit,
  clear,
  disguise,
  dismiss,
  sourceKey,
  sourceText,
  undisguise,
  type Translation,
} from '../linux/nftables/transaction.ts';
import { isOver, type Flow } from '../linux/conntrack/flow.ts';
import type { Conntrack, FollowConntrack } from '../linux/conntrack/follow.ts';
import type { KernelTable } from './kernel-table.ts';
import {
  NoFreePortError,
  well,
  type OwnedChannel,
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

/** A pending pinhole, and what its data channel needs to know. */
interface KernelPinhole {
  readonly expectation: Expectation;
  readonly request: PinholeRequest;
  readonly path: Translation;
  /** Whether the kernel has it. */
  admitted: boolean;
  command: TransferCommand | undefined;
  /** Whether the server has accepted that command, or refused it. */
  accepted: boolean;
  refused: boolean;
  /** Its session wants it no more: what its peer may have done does not bring it back. */
  isClosed: boolean;
}

/** A data channel, from its first packet on. */
interface Channel extends OwnedChannel {
  readonly flow: Flow;
  readonly pinhole: KernelPinhole;
  readonly started: number;
  state: string | undefined;
  ended: number | undefined;
}

/** Where a server connects from in active mode (RFC 959 section 3.2). */
const dataPort = 20;
/** How long the kernel may take to tell of a connection to a pinhole that has been taken back since. */
const lateness = 5000;
/** How long a connection may take from its first packet until it is established, in milliseconds. */
const mostOpening = 3000;
/** How often the kernel is asked what has happened, in ms: the longer nothing has, the less often. */
const shortestWait = 10;
const longestWait = 160;

class KernelPlane implements Plane {
  readonly #options: KernelPlaneOptions;
  /** The name of the table. */
  readonly #name: string;
  readonly #expected: ExpectationTable<KernelPinhole>;
  /** Taken back a moment ago, when somebody may have come that nobody has heard of yet; by tuple. */
  readonly #late = new Map<string, { readonly pinhole: KernelPinhole; readonly until: number }>();
  /** What the source of a connection becomes, by `sourceKey`; several paths may share it. */
  readonly #sources = new Map<string, { readonly from: Endpoint; users: number }>();
  readonly #channels = new Map<number, Channel>();
  /** Those that have ended and were not told yet. */
  readonly #over = new Set<Channel>();
  #conntrack: Conntrack | undefined;
  #watch: NodeJS.Timeout | undefined;
  #wait = shortestWait;
  /** Called when a data channel has ended, while `close` waits for that. */
  #channelEnded: (() => void) | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: KernelPlaneOptions) {
    this.#options = options;
    this.#expected = new ExpectationTable({
      plane: 'kernel',
      register: options.register,
      expired: (pinhole) => {
        this.#closed(pinhole, 'expired');
      },
      look: () => {
        this.#poll();
      },
      isBlocked: (at, peer) => this.#isHeldByOld(at, peer),
    });
    this.#name = options.table.settings.table;
    options.table.restores(() => {
      // One that was taken would let in a second connection.
      this.#poll();
      return this.#expected.pending.filter(({ admitted }) => admitted).map((pinhole) => this.#again(pinhole));
    });
  }

  async start(): Promise<void> {
    const { follow, table } = this.#options;
    this.#conntrack = await follow(table.settings.mark, {
      event: (flow) => {
        this.#follow(flow);
      },
      missed: () => {
        this.#catchUp();
      },
    });
    this.#sweep = setInterval(() => {
      this.#expire();
    }, 1000).unref();
  }

  async open(request: PinholeRequest): Promise<Pinhole> {
    const { address, peer, ports, to, from } = request;
    for (const end of [address, to.address, from.address]) {
      if (familyOf(end) !== familyOf(peer)) {
        throw new Error(`the kernel plane cannot lead ${peer} to ${end}: IPv4 and IPv6 do not mix`);
      }
    }
    if (this.#isClosed) throw new Error('the relay is stopping');
    // What has been taken by now is free again: the source of an active one too.
    if (from.port !== 0) this.#poll();
    for (const at of this.#expected.freeEndpoints(request, (below) => randomInt(below))) {
      const pinhole = this.#expect(request, at);
      try {
        await this.#admit(pinhole);
      } catch (error) {
        this.#expected.close(pinhole);
        throw error;
      }
      return this.#opened(pinhole);
    }
    throw new NoFreePortError(`no port of ${formatPortRange(ports)} at ${address} is free for ${peer}`);
  }

  /**
   * Whether a connection is under way by which the server's next one would be taken for a part of it, as it comes from
   * the same port. One that is over and not forgotten yet would do as much: the kernel is told to forget it.
   */
  #isHeldByOld(at: Endpoint, peer: Address): boolean {
    const old = this.#conntrack?.find({ from: { address: peer, port: dataPort }, at });
    if (!old) return false;
    if (!isOver(old)) return true;
    this.#conntrack?.forget(old);
    return false;
  }

  get channels(): number {
    this.#poll();
    return [...this.#channels.values()].filter(({ ended }) => ended === undefined).length;
  }

  async close(grace: number): Promise<void> {
    this.#poll();
    for (const pinhole of this.#expected.pending) this.#takeBack(pinhole, 'shutdown');
    // From here on nobody is let in: those who have come by now are all that there is to wait for.
    this.#options.table.flush();
    this.#poll();
    if (grace > 0) await this.#channelsEnd(grace);
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#sweep);
    clearTimeout(this.#watch);
    this.#conntrack?.stop();
    this.#options.table.flush();
  }

  /** Only for the log: a data channel that is open needs no process. */
  async #channelsEnd(grace: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#poll();
      this.#channels.clear();
      this.#channelEnded?.();
    }, grace);
    while (this.#channels.size > 0) await new Promise<void>((resolve) => (this.#channelEnded = resolve));
    clearTimeout(timer);
  }

  // --- pinholes ------------------------------------------------------------------------------------------

  /** Reserves the tuple. */
  #expect(request: PinholeRequest, at: Endpoint): KernelPinhole {
    const { peer, to } = request;
    // A key of the kernel's set is one address.
    const expectation = this.#expected.record({ ...request, alsoFrom: [] }, at);
    const path = { peer, at, to, from: this.#sourceFor(request) };
    const pinhole: KernelPinhole = {
      expectation,
      request,
      path,
      admitted: false,
      command: undefined,
      accepted: false,
      refused: false,
      isClosed: false,
    };
    this.#expected.add(pinhole);
    this.#wait = shortestWait;
    this.#watchOn();
    return pinhole;
  }

  /**
   * Where the port can't be had any will do, as on the relay plane. Anybody's connection may have it, for two minutes
   * after its end too: the kernel would drop the packet that has just used the pinhole up.
   */
  #sourceFor({ peer, to, from }: PinholeRequest): Endpoint {
    const shared = this.#sources.get(sourceKey({ peer, to }))?.from;
    if (shared?.address === from.address) return shared;
    const isTaken = from.port !== 0 && this.#conntrack?.find({ from: to, at: from }) !== undefined;
    return isTaken ? { ...from, port: 0 } : from;
  }

  async #admit(pinhole: KernelPinhole): Promise<void> {
    const source = this.#share(pinhole);
    try {
      await this.#options.table.submit(this.#admission(pinhole, source));
    } catch (error) {
      this.#unshare(pinhole.path);
      throw error;
    }
    pinhole.admitted = true;
    const isTakenBack = !this.#expected.isPending(pinhole);
    const tuple = tupleKey(pinhole.path.at, pinhole.path.peer);
    if (this.#late.has(tuple)) {
      // Who has come by now came to the pinhole that had the tuple before.
      this.#poll();
      this.#late.delete(tuple);
    }
    if (!isTakenBack) return;
    this.#leave(pinhole);
    throw new Error('the pinhole was taken back while it was opened');
  }

  #admission({ path, expectation }: KernelPinhole, source: readonly Statement[]): Statement[] {
    return [...source, ...admit(this.#name, path, expectation.expires - performance.now())];
  }

  /** Returns the statements that name the source; another path may have named the same one. */
  #share({ path, expectation }: KernelPinhole): Statement[] {
    const key = sourceKey(path);
    const source = this.#sources.get(key);
    if (source && sourceText(source) !== sourceText(path)) {
      throw new Error(`${path.peer} is led to ${formatEndpoint(path.to)} from ${sourceText(source)} already`);
    }
    const statements = disguise(this.#name, path, expectation.expires - performance.now());
    if (!source) {
      this.#sources.set(key, { from: path.from, users: 1 });
      return statements;
    }
    source.users++;
    return [...undisguise(this.#name, path), ...statements];
  }

  #unshare(path: Translation): Statement[] {
    const source = this.#sources.get(sourceKey(path));
    if (!source || --source.users > 0) return [];
    this.#sources.delete(sourceKey(path));
    return undisguise(this.#name, path);
  }

  #opened(pinhole: KernelPinhole): Pinhole {
    const { expectation, request } = pinhole;
    this.#options.observe({ type: 'pinhole-opened', command: request.command, ...factsOf(expectation) });
    return {
      at: expectation.at,
      // As without the relay: some servers (pyftpdlib) connect before they answer a PORT, and answer only then.
      arm: () => Promise.resolve(),
      serve: (command) => {
        pinhole.command ??= command;
        pinhole.refused = false;
      },
      accept: () => {
        pinhole.accepted = true;
      },
      refuse: () => {
        pinhole.refused = true;
        if (!pinhole.accepted) pinhole.command = undefined;
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
        this.#poll();
        pinhole.isClosed = true;
        this.#takeBack(pinhole, reason);
      },
    };
  }

  /** After `#poll`: it may have been taken, and nobody has asked yet. */
  #takeBack(pinhole: KernelPinhole, reason: PinholeReason): void {
    if (this.#expected.close(pinhole)) this.#closed(pinhole, reason);
  }

  #closed(pinhole: KernelPinhole, reason: PinholeReason): void {
    this.#options.observe({ type: 'pinhole-closed', reason, ...factsOf(pinhole.expectation) });
    this.#leave(pinhole);
  }

  #expire(): void {
    this.#poll();
    const now = performance.now();
    for (const { flow, state, started, ended } of this.#channels.values()) {
      const isLate = ended === undefined && isOpening(state) && now - started > mostOpening;
      if (isLate) this.#conntrack?.forget(flow);
    }
    for (const [key, { until }] of this.#late) if (until <= now) this.#late.delete(key);
  }

  /** After the kernel has let in who was expected: what is left of the pinhole does nothing any more. */
  #leaveTaken(pinhole: KernelPinhole): void {
    // Apart: where one is gone already, the other is to go all the same.
    this.#options.table.withdrawLater(clear(this.#name, pinhole.path));
    this.#options.table.withdrawLater(this.#unshare(pinhole.path));
  }

  /** Takes a pinhole's elements out of the kernel; a failure leaves them to their own timeouts. */
  #leave(pinhole: KernelPinhole): void {
    if (!pinhole.admitted) return;
    const { at, peer } = pinhole.path;
    this.#late.set(tupleKey(at, peer), { pinhole, until: performance.now() + lateness });
    this.#options.table.withdraw([...dismiss(this.#name, pinhole.path), ...this.#unshare(pinhole.path)]);
  }

  /** What the kernel has of it, to be said again. */
  #again(pinhole: KernelPinhole): Statement[] {
    const left = pinhole.expectation.expires - performance.now();
    return this.#admission(pinhole, disguise(this.#name, pinhole.path, left));
  }

  // --- data channels -------------------------------------------------------------------------------------

  /** Asks again after a while, as long as there is something that may happen. */
  #watchOn(): void {
    if (this.#isClosed || this.#expected.size + this.#late.size + this.#channels.size === 0) return;
    this.#watch ??= setTimeout(() => {
      this.#watch = undefined;
      this.#wait = this.#poll() ? shortestWait : Math.min(2 * this.#wait, longestWait);
      this.#watchOn();
    }, this.#wait).unref();
  }

  /** Learns what has happened up to now. Returns whether that was anything. */
  #poll(): boolean {
    const heard = this.#conntrack?.poll() ?? false;
    // Behind the events: the last may tell what a connection has carried, and be the end of it.
    for (const channel of this.#over) this.#tell(channel, this.#conntrack?.look(channel.flow));
    return heard;
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
        if (isOpening(channel.state)) this.#bringBack(channel.pinhole);
      }
    }
    if (flow.what === 'destroy') this.#tell(channel, flow);
  }

  /** The first packet of a connection has passed the gate. */
  #begin(flow: Flow): Channel | undefined {
    // Of the same tuple there may be an older connection, which an earlier process or pinhole has let in.
    if (flow.what !== 'new' && (flow.what !== 'listed' || isOver(flow))) return undefined;
    const pinhole = this.#take(flow);
    if (!pinhole) return undefined;
    const channel: Channel = {
      ...{ flow, pinhole, started: performance.now(), state: flow.state, ended: undefined },
      get isAccepted() {
        return pinhole.accepted;
      },
      get isUnused() {
        return pinhole.refused && !pinhole.accepted;
      },
      abort: () => undefined,
    };
    this.#channels.set(flow.id, channel);
    this.#options.observe({ type: 'pinhole-taken', from: flow.from, ...factsOf(pinhole.expectation) });
    pinhole.request.owner.channelOpened(channel);
    return channel;
  }

  #take({ at, from }: Flow): KernelPinhole | undefined {
    const tuple = tupleKey(at, from.address);
    const late = this.#late.get(tuple);
    if (late) {
      this.#late.delete(tuple);
      return late.pinhole;
    }
    // By the kernel's clock it was in time, or it would not be here.
    const claim = this.#expected.claim(at, from.address, 0);
    if (claim.kind === 'refused') return undefined;
    const { pinhole } = claim;
    this.#leaveTaken(pinhole);
    return pinhole;
  }

  #end(channel: Channel): void {
    channel.ended = performance.now();
    this.#over.add(channel);
    channel.pinhole.request.owner.channelClosed(channel);
  }

  /**
   * A first packet has used the pinhole up, and no connection came of it: anybody can send one in the name of the peer.
   * For the time that it had left it is there again.
   */
  #bringBack(pinhole: KernelPinhole): void {
    const { at, peer, expires } = pinhole.expectation;
    const isWanted = !pinhole.isClosed && !this.#isClosed && expires > performance.now();
    if (!isWanted || !this.#expected.isFree(at, peer)) return;
    pinhole.admitted = false;
    this.#expected.add(pinhole);
    this.#admit(pinhole).catch(() => {
      this.#expected.close(pinhole);
    });
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
    const { sent = 0, returned = 0 } = flow?.bytes ?? {};
    const byClient = pinhole.request.mode === 'passive';
    const { command, expectation } = pinhole;
    const cause = causeOf(channel);
    const facts = { command, seconds: (ended - started) / 1000, cause, ...factsOf(expectation) };
    if (channel.isUnused) {
      this.#options.observe({ type: 'data-channel-closed', ...facts });
    } else {
      const [uploaded, downloaded] = byClient ? [sent, returned] : [returned, sent];
      this.#options.observe({ type: 'transfer-ended', ...facts, uploaded, downloaded });
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

function isOpening(state: string | undefined): boolean {
  return state?.startsWith('SYN_') ?? false;
}

function tupleKey(at: Endpoint, peer: string): string {
  return `${peer} ${formatEndpoint(at)}`;
}
