import type { Socket } from 'node:net';
import type { Observer } from '../events.ts';
import { factsOf } from '../expectation/expectation.ts';
import type { Descriptors } from '../net/descriptors.ts';
import { dial, type Dialling, type LocalEnd } from '../net/dial.ts';
import { requireBorrowing, type Borrowing } from './borrowing.ts';
import { joinDataChannel, type DataChannelEnd, type TruncatedEnd } from './data-channel.ts';
import { LegError, openLegs, protectedLegs, type OpeningLegs } from './data-legs.ts';
import { PinholeChannel } from './pinhole-channel.ts';
import type { DataProgress, PinholeRequest, Protection } from './plane.ts';
import type { RelayPinhole } from './relay-pinhole.ts';

/** How data channels are carried; those that begin later may have others. */
export interface ChannelLimits {
  /** Milliseconds until a data connection that the relay dials is given up. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte until a data channel is reset. */
  readonly dataIdleTimeout: number;
  /** Milliseconds of silence until a peer is asked whether it is still there; 0 for never. */
  readonly keepalive?: number;
  /** Milliseconds for the handshakes of a data channel whose command the server has accepted; 30,000 unless told. */
  readonly tlsTimeout?: number;
  /** `reset` unless told. */
  readonly truncatedEnd?: TruncatedEnd;
}

export interface RelayChannelsOptions extends ChannelLimits {
  readonly observe: Observer;
  /** Unlimited unless told. */
  readonly descriptors?: Descriptors;
  /** Needed for requests that borrow addresses. */
  readonly borrowing?: Borrowing | undefined;
}

/** The data channels that this process carries: from the connection that was accepted to the end of both. */
export class RelayChannels {
  readonly #options: RelayChannelsOptions;
  #limits: ChannelLimits;
  /** By the number of their expectation. */
  readonly #open = new Map<number, PinholeChannel>();
  /** Called when the next data channel has ended, while `close` waits for that. */
  #waiting: (() => void)[] = [];

  constructor(options: RelayChannelsOptions) {
    this.#options = options;
    this.#limits = options;
  }

  /** Data channels that begin from now on have these. */
  configure(limits: ChannelLimits): void {
    this.#limits = limits;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  progress(): DataProgress[] {
    return [...this.#open].map(([expectation, { joined }]) => {
      const { uploaded = 0, downloaded = 0 } = joined ?? {};
      return { expectation, uploaded, downloaded };
    });
  }

  /** Dials the other end of a connection that was accepted for a pinhole, and copies. */
  carry(pinhole: RelayPinhole, accepted: Socket): void {
    const { owner, mode, protection, isClearAgreed = false } = pinhole.request;
    const { keepalive = 0, truncatedEnd = 'reset', dataIdleTimeout: idleTimeout } = this.#limits;
    const { tlsTimeout = 30_000 } = this.#limits;
    const started = performance.now();
    const dialling = this.#dial(pinhole.request, accepted);
    const legs = openLegs(mode, accepted, dialling, protection, pinhole);
    const channel = new PinholeChannel(legs);
    const ended = (end: DataChannelEnd): void => {
      this.#open.delete(pinhole.expectation.id);
      channel.ended(end);
      pinhole.free();
      this.#tell(pinhole, end, started);
      pinhole.changed();
      owner.channelClosed(pinhole);
      for (const resume of this.#waiting.splice(0)) resume();
    };
    pinhole.channel = channel;
    this.#open.set(pinhole.expectation.id, channel);
    owner.channelOpened(pinhole);
    legs.connected.then(
      () => {
        channel.isConnected = true;
        pinhole.changed();
      },
      () => undefined,
    );
    const unlimit = protection ? limitHandshakes(pinhole, protection, legs, tlsTimeout) : () => undefined;
    legs.ends.finally(unlimit).then(
      (ends) => {
        const changed = (): void => {
          pinhole.changed();
        };
        const options = { idleTimeout, isClearAgreed, truncatedEnd, keepalive, changed };
        channel.join(joinDataChannel(ends, options, ended));
      },
      (error: unknown) => {
        ended(endBefore(error));
      },
    );
    pinhole.changed();
  }

  /** Where the server has refused the transfer, or none had come when the session ended or went on, there was none. */
  #tell(
    pinhole: RelayPinhole,
    { cause, error, uploaded, downloaded, firstByte }: DataChannelEnd,
    started: number,
  ): void {
    const seconds = (performance.now() - started) / 1000;
    const facts = { command: pinhole.command, seconds, cause, error, ...factsOf(pinhole.expectation) };
    if (pinhole.isRefused || cause === 'session-closed' || cause === 'replaced') {
      this.#options.observe({ type: 'data-channel-closed', ...facts });
      return;
    }
    const protection = protectedLegs(pinhole.request.protection);
    this.#options.observe({
      type: 'transfer-ended',
      protection,
      ...facts,
      ...{ uploaded, downloaded },
      firstByte: firstByte === undefined ? undefined : (firstByte - started) / 1000,
    });
  }

  /** Waits until every data channel has ended; after `grace` milliseconds they are reset. */
  async close(grace: number): Promise<void> {
    const abort = (): void => {
      for (const channel of [...this.#open.values()]) channel.abort('shutdown');
    };
    // Without a grace it is done before this returns: the process may end next, and its end says FIN.
    if (grace <= 0) abort();
    const timer = setTimeout(abort, grace);
    while (this.#open.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    clearTimeout(timer);
  }

  #dial(request: PinholeRequest, accepted: Socket): Dialling {
    const { to, from, own } = request;
    const { connectTimeout } = this.#limits;
    const { borrowing } = this.#options;
    const target = { host: to.address, port: to.port };
    if (from.address === own.far) return dial(target, connectTimeout, localsOf(request));
    const port = from.port === 0 ? (accepted.remotePort ?? 0) : from.port;
    return requireBorrowing(borrowing).dial(target, { address: from.address, port }, connectTimeout, own.far);
  }
}

/**
 * Limits the handshakes of a data channel in time. Returns what ends that.
 *
 * @param limit milliseconds from the server's acceptance of the command on
 */
function limitHandshakes(
  pinhole: RelayPinhole,
  protection: Protection,
  legs: OpeningLegs,
  limit: number,
): () => void {
  // A client that never says what it wants would hold both connections for ever.
  const giveUp = (): void => {
    pinhole.giveUp();
  };
  const patience = protection.server && setTimeout(giveUp, pinhole.request.timeout);
  // A handshake may begin when the server has accepted the command, as some clients have it, and has to be over soon.
  let handshakes: NodeJS.Timeout | undefined;
  let areOver = false;
  void pinhole.accepted.then(() => {
    if (areOver) return;
    handshakes = setTimeout(() => {
      legs.abort(protection.client ? 'client-tls-failed' : 'server-tls-failed');
    }, limit);
  });
  return () => {
    areOver = true;
    clearTimeout(patience);
    clearTimeout(handshakes);
  };
}

/** Of a data channel whose legs did not both come up. */
function endBefore(error: unknown): DataChannelEnd {
  const { reason, words } = error instanceof LegError ? error : new LegError('server-unreachable', error);
  return {
    cause: reason,
    uploaded: 0,
    downloaded: 0,
    firstByte: undefined,
    isLost: { upload: true, download: true },
    error: words,
  };
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
