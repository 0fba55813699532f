import type { Socket } from 'node:net';
import type { Observer, TransferCause } from '../events.ts';
import { factsOf } from '../expectation/expectation.ts';
import { dial, type Dialling, type LocalEnd } from '../net/dial.ts';
import { requireBorrowing, type Borrowing } from './borrowing.ts';
import { joinDataChannel, type DataChannelEnd } from './data-channel.ts';
import { LegError, openLegs, protectedLegs } from './data-legs.ts';
import type { PinholeRequest } from './plane.ts';
import type { Lease } from './relay-lease.ts';

export interface RelayChannelsOptions {
  readonly observe: Observer;
  /** Milliseconds until a data connection that the relay dials is given up. */
  readonly connectTimeout: number;
  /** Milliseconds without a byte until a data channel is reset. */
  readonly dataIdleTimeout: number;
  /** Needed for requests that borrow addresses. */
  readonly borrowing?: Borrowing | undefined;
}

/** The data channels that this process carries: from the connection that was accepted to the end of both. */
export class RelayChannels {
  readonly #options: RelayChannelsOptions;
  readonly #open = new Set<{ abort(cause: TransferCause): void }>();
  /** Called when a data channel has ended, while `close` waits for that. */
  #channelEnded: (() => void) | undefined;

  constructor(options: RelayChannelsOptions) {
    this.#options = options;
  }

  /** Dials the other end of a connection that was accepted for a lease, and copies. */
  carry(lease: Lease, accepted: Socket): void {
    const { owner, mode, protection, isClearAgreed = false, timeout } = lease.request;
    owner.channelOpened();
    const started = performance.now();
    const ended = (end: DataChannelEnd): void => {
      this.#open.delete(channel);
      this.#options.observe({
        type: 'transfer-ended',
        command: lease.command,
        seconds: (performance.now() - started) / 1000,
        protection: protectedLegs(protection),
        ...end,
        ...factsOf(lease.expectation),
      });
      owner.channelClosed();
      this.#channelEnded?.();
    };
    const dialling = this.#dial(lease.request, accepted);
    const legs = openLegs(mode, accepted, dialling, protection, lease.served, () => lease.command);
    let channel: { abort(cause: TransferCause): void } = legs;
    this.#open.add(channel);
    lease.abort = (cause) => {
      channel.abort(cause);
    };
    // A client that never says what it wants would hold both connections for ever.
    const patience = protection?.server && setTimeout(lease.giveUp, timeout);
    legs.ends
      .finally(() => {
        clearTimeout(patience);
      })
      .then(
        (ends) => {
          this.#open.delete(channel);
          const { dataIdleTimeout: idleTimeout } = this.#options;
          channel = joinDataChannel(ends, { idleTimeout, isClearAgreed }, ended);
          this.#open.add(channel);
        },
        (error: unknown) => {
          ended(endBefore(error));
        },
      );
  }

  /** Waits until every data channel has ended; after `grace` milliseconds they are reset. */
  async close(grace: number): Promise<void> {
    const abort = (): void => {
      for (const channel of [...this.#open]) channel.abort('shutdown');
    };
    // Without a grace it is done before this returns: the process may end next, and its end says FIN.
    if (grace <= 0) abort();
    const timer = setTimeout(abort, grace);
    while (this.#open.size > 0) await new Promise<void>((resolve) => (this.#channelEnded = resolve));
    clearTimeout(timer);
  }

  #dial(request: PinholeRequest, accepted: Socket): Dialling {
    const { to, from, own } = request;
    const { connectTimeout, borrowing } = this.#options;
    const target = { host: to.address, port: to.port };
    if (from.address === own.far) return dial(target, connectTimeout, localsOf(request));
    const port = from.port === 0 ? (accepted.remotePort ?? 0) : from.port;
    return requireBorrowing(borrowing).dial(target, { address: from.address, port }, connectTimeout, own.far);
  }
}

/** Of a data channel whose legs did not both come up. */
function endBefore(error: unknown): DataChannelEnd {
  const { reason, words } = error instanceof LegError ? error : new LegError('server-unreachable', error);
  return { cause: reason, uploaded: 0, downloaded: 0, error: words };
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
