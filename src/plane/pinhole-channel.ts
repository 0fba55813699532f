import type { TransferCause } from '../events.ts';
import type { DataChannel, DataChannelEnd } from './data-channel.ts';
import type { OpeningLegs } from './data-legs.ts';

/**
 * The data channel that has come of a pinhole. At its end it lets go of both connections: a table of a Map that V8 has
 * replaced by another may keep what was in it for as long as it keeps that table itself.
 */
export class PinholeChannel {
  /** Whether both its connections stand. */
  isConnected = false;
  #legs: OpeningLegs | undefined;
  #joined: DataChannel | undefined;
  #moved = 0;
  #end: DataChannelEnd | undefined;

  constructor(legs: OpeningLegs) {
    this.#legs = legs;
  }

  /** Once both legs are up, TLS on them included, and until the end. */
  get joined(): DataChannel | undefined {
    return this.#joined;
  }

  /** Bytes that have come, from both sides. */
  get moved(): number {
    return this.#joined?.moved ?? this.#moved;
  }

  get end(): DataChannelEnd | undefined {
    return this.#end;
  }

  join(joined: DataChannel): void {
    if (!this.#end) this.#joined = joined;
  }

  ended(end: DataChannelEnd): void {
    this.#moved = this.moved;
    this.#end = end;
    this.#legs = undefined;
    this.#joined = undefined;
  }

  abort(cause: TransferCause): void {
    (this.#joined ?? this.#legs)?.abort(cause);
  }
}
