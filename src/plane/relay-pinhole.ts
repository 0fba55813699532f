import type { Socket } from 'node:net';
import type { TransferCause, TransferCommand } from '../events.ts';
import type { Expectation } from '../expectation/expectation.ts';
import { Awaited } from './awaited.ts';
import type { DataChannelEnd } from './data-channel.ts';
import type { PinholeChannel } from './pinhole-channel.ts';
import { well, type DataOutcome, type OwnedChannel, type PinholeRequest } from './plane.ts';

/**
 * How long a server that says that a transfer is over may keep its data connection open with nothing more on it, in
 * milliseconds: where it does not close it at all (RFC 959 section 3.4.2, block mode), its word goes on.
 */
const mostSilence = 15_000;
/** How long a client may read nothing while the server is gone, in milliseconds. */
const mostStill = 2000;
/** How often these are looked at. */
const glance = 1000;

/** Both connections, and one that outlives its own descriptor until what it has sent is acknowledged. */
export const descriptorsOfChannel = 3;

/** A pinhole, pending or taken, and what its data channel needs to know. */
export class RelayPinhole implements OwnedChannel {
  readonly expectation: Expectation;
  readonly request: PinholeRequest;
  /** Whether a connection that comes goes on at once. */
  isArmed: boolean;
  /** A connection that came before the pinhole was armed: pyftpdlib dials before it answers PORT. */
  early: Socket | undefined;
  /** Gives back the descriptors that were taken for it. */
  readonly free: () => void;
  /** Takes back what leads a borrowed address here. */
  unlead: (() => void) | undefined;
  channel: PinholeChannel | undefined;
  /** The command that the data channel serves. */
  readonly #served = new Awaited('no command was sent for the data connection');
  /** The server's acceptance of a command for it. */
  readonly #accepted = new Awaited();
  #command: TransferCommand | undefined;
  #isAccepted = false;
  #isRefused = false;
  #isTaken = false;
  #isHurried = false;
  /** Who waits for news of the data channel; most often nobody. */
  #waiting: Set<() => void> | undefined;

  constructor(expectation: Expectation, request: PinholeRequest, isArmed: boolean, free: () => void) {
    this.free = free;
    this.expectation = expectation;
    this.request = request;
    this.isArmed = isArmed;
  }

  /** Settled when the command has come that the data channel serves, rejected where none will. */
  get served(): Promise<void> {
    return this.#served.promise;
  }

  /** Settled when the server has accepted a command for it. */
  get accepted(): Promise<void> {
    return this.#accepted.promise;
  }

  /** No command will come any more: `served` is rejected, if it has not come. */
  giveUp(): void {
    this.#served.fail();
  }

  get command(): TransferCommand | undefined {
    return this.#command;
  }

  /** Whether the server has refused what it was for, and no other command has come since. */
  get isRefused(): boolean {
    return this.#isRefused && !this.#isAccepted;
  }

  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  get isUnused(): boolean {
    if (this.#isAccepted || !this.channel) return false;
    const { moved, end } = this.channel;
    return moved === 0 && (end === undefined || end.uploaded + end.downloaded === 0);
  }

  abort(cause: TransferCause): boolean {
    this.channel?.abort(cause);
    return true;
  }

  serve(command: TransferCommand): void {
    this.#command ??= command;
    this.#isRefused = false;
    this.#served.come();
  }

  accept(command?: TransferCommand): void {
    if (command && command.verb === this.#command?.verb) this.#command = command;
    this.#isAccepted = true;
    this.#accepted.come();
  }

  refuse(): void {
    this.#isRefused = true;
    if (!this.#isAccepted) this.#command = undefined;
  }

  /** The server is gone: a client is waited for only as long as it goes on reading. */
  hurry(): void {
    this.#isHurried = true;
    this.changed();
  }

  /** A connection has come. */
  take(): void {
    this.#isTaken = true;
    this.changed();
  }

  /** What is told of the data channel has changed. */
  changed(): void {
    if (this.#waiting) for (const look of [...this.#waiting]) look();
  }

  connected(): DataOutcome | Promise<DataOutcome> {
    if (this.request.mode === 'passive') return well;
    return this.#until(() => {
      const { channel } = this;
      if (!channel) return this.#isTaken ? undefined : 'not-taken';
      if (channel.isConnected) return well;
      if (channel.end) return failed(channel.end);
      return this.#isHurried ? well : undefined;
    });
  }

  delivered(transfer: {
    readonly isUpload: boolean;
    readonly isRefusal: boolean;
  }): DataOutcome | Promise<DataOutcome> {
    let moved = 0;
    let acknowledged = 0;
    let since = performance.now();
    const isStalled = (limit: number): boolean => performance.now() - since > limit;
    return this.#until(() => {
      const { channel } = this;
      if (!channel) return this.#isTaken ? undefined : 'not-taken';
      const { joined, end } = channel;
      if (end) return end.isLost[transfer.isUpload ? 'upload' : 'download'] ? failed(end) : well;
      // An upload's reply comes behind its bytes: the server has them.
      if (transfer.isUpload) return well;
      joined?.download.look();
      if (joined?.download.isDelivered) return well;
      if (transfer.isRefusal && !joined?.download.hasEnded) return 'not-ended';
      if (!joined) return this.#isHurried && isStalled(mostStill) ? well : undefined;
      const { download } = joined;
      const isCaughtUp = download.acknowledged === download.moved;
      if (download.moved !== moved || download.acknowledged !== acknowledged) since = performance.now();
      moved = download.moved;
      acknowledged = download.acknowledged;
      if (this.#isHurried && isStalled(mostStill)) return well;
      // A client that is slow holds the server back, whose end may not have been read yet.
      return !download.hasEnded && isCaughtUp && isStalled(mostSilence) ? well : undefined;
    });
  }

  /**
   * @param look says how it stands; undefined: not yet known. A reason instead of that: what may only not have been read
   *   yet, as it came on another connection, which is waited for for two turns of the event loop
   */
  #until(
    look: () => DataOutcome | 'not-taken' | 'not-ended' | undefined,
  ): DataOutcome | Promise<DataOutcome> {
    const first = look();
    if (typeof first === 'object') return first;
    return new Promise((resolve) => {
      let isLate = false;
      const again = (): void => {
        const seen = look();
        if (seen === undefined || (typeof seen === 'string' && !isLate)) return;
        this.#waiting?.delete(again);
        clearInterval(glances);
        resolve(typeof seen === 'string' ? well : seen);
      };
      (this.#waiting ??= new Set()).add(again);
      const glances = setInterval(again, glance);
      setImmediate(() => {
        setImmediate(() => {
          isLate = true;
          again();
        });
      });
    });
  }
}

function failed({ cause, error }: DataChannelEnd): DataOutcome {
  return { kind: 'failed', cause, error };
}
