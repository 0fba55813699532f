import type { TransferCommand } from '../events.ts';
import type { Expectation } from '../expectation/expectation.ts';
import type { Translation } from '../linux/nftables/transaction.ts';
import type { PinholeRequest } from './plane.ts';

/** A pinhole, pending or taken, and what its data channel needs to know. */
export class KernelPinhole {
  readonly expectation: Expectation;
  readonly request: PinholeRequest;
  readonly path: Translation;
  /** Whether the kernel has it. */
  isAdmitted = false;
  /** Its session wants it no more: what its peer may have done does not bring it back. */
  isClosed = false;
  #command: TransferCommand | undefined;
  #isAccepted = false;
  #isRefused = false;

  constructor(expectation: Expectation, request: PinholeRequest, path: Translation) {
    this.expectation = expectation;
    this.request = request;
    this.path = path;
  }

  get command(): TransferCommand | undefined {
    return this.#command;
  }

  /** Whether the server has accepted the command. */
  get isAccepted(): boolean {
    return this.#isAccepted;
  }

  /** Whether it has refused what it was for, and no other command has come since. */
  get isRefused(): boolean {
    return this.#isRefused && !this.#isAccepted;
  }

  serve(command: TransferCommand): void {
    this.#command ??= command;
    this.#isRefused = false;
  }

  accept(command?: TransferCommand): void {
    if (command && command.verb === this.#command?.verb) this.#command = command;
    this.#isAccepted = true;
  }

  refuse(): void {
    this.#isRefused = true;
    if (!this.#isAccepted) this.#command = undefined;
  }
}
