import type { PinholeReason, TransferCommand } from '../events.ts';
import type { Pinhole, PinholeOwner } from '../plane/plane.ts';

/** The pinholes and data channels of one session. */
export class SessionPinholes implements PinholeOwner {
  readonly #channelClosed: () => void;
  /** The one that may be taken: `max_expected` is 1, as in the kernel. */
  #pending: Pinhole | undefined;
  /** That of a PORT which the server has not answered yet. */
  #reserved: Pinhole | undefined;
  #openChannels = 0;

  constructor(channelClosed: () => void) {
    this.#channelClosed = channelClosed;
  }

  get hasOpenChannel(): boolean {
    return this.#openChannels > 0;
  }

  channelOpened(): void {
    this.#openChannels++;
  }

  channelClosed(): void {
    this.#openChannels--;
    this.#channelClosed();
  }

  reserve(pinhole: Pinhole): void {
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

  /** A new expectation replaces the one that is pending. */
  expect(pinhole: Pinhole): void {
    this.#pending?.close('replaced');
    this.#pending = pinhole;
    if (this.#reserved === pinhole) this.#reserved = undefined;
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
    this.#pending?.serve(command);
  }

  /** Takes back what nobody has connected to; data channels live on. */
  close(): void {
    this.#closePending('session-closed');
    this.closeReserved('session-closed');
  }
}
