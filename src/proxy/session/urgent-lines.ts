import type { Channel } from '../../net/channel.ts';
import { urgentSignals, watchUrgent, type UrgentMark } from '../../net/urgent.ts';

/** Which lines of a control channel arrived as TCP urgent data, as far as the system reports that. */
export class UrgentLines {
  #mark: UrgentMark | undefined;
  /** The position of the urgent byte, until its line has been delivered; and that of the last line. */
  #at: number | undefined;
  #toldAt: number | undefined;
  /** `urgentSignals` when delivery of the line before the last began, and when that of the last one did. */
  #signals: number = urgentSignals();
  #lastSignals: number = this.#signals;

  /** Whether the system reports urgent data on this connection at all. */
  get areSeen(): boolean {
    return this.#mark !== undefined;
  }

  /** Whether urgent data has arrived, here or elsewhere, since the line before the last was delivered. */
  get wereSignalled(): boolean {
    return urgentSignals() > this.#signals;
  }

  /** The lines come from this connection from now on. */
  watch(channel: Channel): void {
    this.#mark = channel.kind === 'tcp' ? watchUrgent(channel.stream) : undefined;
  }

  /** @param received how many bytes have come in all */
  came(received: number): void {
    if (this.#mark?.isNext()) this.#at = received;
  }

  /**
   * A line is about to be delivered.
   *
   * @param read how many bytes have come up to its end
   * @returns whether the urgent byte is in it
   */
  tell(read: number): boolean {
    const isIn = this.#at !== undefined && this.#at < read;
    this.#toldAt = isIn ? this.#at : undefined;
    if (isIn) this.#at = undefined;
    this.#signals = this.#lastSignals;
    this.#lastSignals = urgentSignals();
    return isIn;
  }

  /** The line delivered last will be delivered again. */
  putBack(): void {
    this.#at ??= this.#toldAt;
    this.#lastSignals = this.#signals;
  }
}
