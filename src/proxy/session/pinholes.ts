import type { PinholeReason, TransferCommand } from '../../events.ts';
import type { OwnedChannel, Pinhole, PinholeOwner } from '../../plane/plane.ts';

/** The pinholes and data channels of one session. */
export class SessionPinholes implements PinholeOwner {
  readonly #channelClosed: () => void;
  /** The one that may be taken, or was last: `max_expected` is 1, as in the kernel. */
  #pending: Pinhole | undefined;
  /** Whether a transfer has used the pending one, and is over. */
  #isSpent = false;
  /** That of a PORT which the server has not answered yet. */
  #reserved: Pinhole | undefined;
  readonly #channels = new Set<OwnedChannel>();

  constructor(channelClosed: () => void) {
    this.#channelClosed = channelClosed;
  }

  /** Whether a transfer is under way. A data channel that nothing has come of yet keeps no session. */
  get hasOpenChannel(): boolean {
    return [...this.#channels].some(({ isUnused }) => !isUnused);
  }

  channelOpened(channel: OwnedChannel): void {
    this.#channels.add(channel);
  }

  channelClosed(channel: OwnedChannel): void {
    this.#channels.delete(channel);
    this.#channelClosed();
  }

  /** The one that the next transfer will use, or the one under way uses: pending or taken. */
  get current(): Pinhole | undefined {
    return this.#isSpent ? undefined : this.#pending;
  }

  /** The server has said the last of a transfer: what it says from now on is of no data connection that there is. */
  transferEnded(): void {
    this.current?.accept();
    this.current?.retire?.();
    this.#isSpent = true;
  }

  /** The server has refused a transfer: another may use what was opened for it. */
  transferRefused(): void {
    this.current?.refuse();
  }

  reserve(pinhole: Pinhole): void {
    // A server that said something else than an answer to the PORT before has left it.
    this.closeReserved('replaced');
    this.#reserved = pinhole;
  }

  get reserved(): Pinhole | undefined {
    return this.#reserved;
  }

  /** The server has refused the PORT, or nothing could be made of its consent. */
  closeReserved(reason: PinholeReason): void {
    this.#reserved?.close(reason);
    this.#reserved = undefined;
  }

  /**
   * A new expectation replaces the one that is pending, and a data channel for which the server has accepted nothing: it
   * waits for another one now as well, and a client could have as many as it likes.
   */
  expect(pinhole: Pinhole): void {
    this.#pending?.close('replaced');
    for (const channel of [...this.#channels]) {
      if (!channel.isAccepted && channel !== pinhole.channel) channel.abort('replaced');
    }
    this.#pending = pinhole;
    this.#isSpent = false;
    if (this.#reserved === pinhole) this.#reserved = undefined;
  }

  /** Takes back the one that is pending, as another is to have its port. Returns whether there was one. */
  makeRoom(): boolean {
    const isThere = this.#pending !== undefined;
    this.#closePending('replaced');
    return isThere;
  }

  /** What the pending one was opened for does not hold any more, nor for the data channel that has come of it. */
  abandonPending(): void {
    this.#pending?.abandon?.();
    this.#closePending('replaced');
  }

  #closePending(reason: PinholeReason): void {
    this.#pending?.close(reason);
    this.#pending = undefined;
  }

  /** Says which command the pending one serves. */
  serve(command: TransferCommand): void {
    this.current?.serve(command);
  }

  /** Takes back what nobody has connected to, or connected to for nothing; transfers that are under way live on. */
  close(): void {
    this.#closePending('session-closed');
    this.closeReserved('session-closed');
    for (const channel of [...this.#channels]) if (channel.isUnused) channel.abort('session-closed');
  }
}
