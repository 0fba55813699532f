import type { PinholeReason, TransferCause, TransferCommand } from '../events.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { DataOutcome, OwnedChannel, Pinhole } from './plane.ts';
import type { RelayPinhole } from './relay-pinhole.ts';

/** What a session can have done with its pinhole by the plane. */
interface Keeper {
  arm(pinhole: RelayPinhole): void;
  close(pinhole: RelayPinhole, reason: PinholeReason): void;
}

/** A pinhole of the relay plane as its session has it. */
export class RelayHandle implements Pinhole {
  readonly #pinhole: RelayPinhole;
  readonly #keeper: Keeper;

  constructor(pinhole: RelayPinhole, keeper: Keeper) {
    this.#pinhole = pinhole;
    this.#keeper = keeper;
  }

  get at(): Endpoint {
    return this.#pinhole.expectation.at;
  }

  get channel(): OwnedChannel | undefined {
    return this.#pinhole.channel && this.#pinhole;
  }

  arm(): Promise<void> {
    this.#keeper.arm(this.#pinhole);
    return Promise.resolve();
  }

  serve(command: TransferCommand): void {
    this.#pinhole.serve(command);
  }

  accept(command?: TransferCommand): void {
    this.#pinhole.accept(command);
  }

  refuse(): void {
    this.#pinhole.refuse();
  }

  connected(): DataOutcome | Promise<DataOutcome> {
    return this.#pinhole.connected();
  }

  delivered(transfer: Parameters<Pinhole['delivered']>[0]): DataOutcome | Promise<DataOutcome> {
    return this.#pinhole.delivered(transfer);
  }

  hurry(): void {
    this.#pinhole.hurry();
  }

  close(reason: PinholeReason): void {
    this.#keeper.close(this.#pinhole, reason);
  }

  abandon(): void {
    if (!this.#pinhole.command) this.#pinhole.abort('reset');
  }

  abort(cause: TransferCause): boolean {
    this.#pinhole.abort(cause);
    return this.#pinhole.channel !== undefined;
  }
}
