import type { Socket } from 'node:net';
import type { TransferCause, TransferCommand } from '../events.ts';
import type { Expectation } from '../expectation/expectation.ts';
import type { PinholeRequest } from './plane.ts';

/** A pending pinhole, and what its data channel needs to know. */
export interface Lease {
  readonly expectation: Expectation;
  readonly request: PinholeRequest;
  armed: boolean;
  /** A connection that came before the pinhole was armed: pyftpdlib dials before it answers PORT. */
  early: Socket | undefined;
  command: TransferCommand | undefined;
  /** Settled when the command has come that the data channel serves. */
  readonly served: Promise<void>;
  readonly serve: () => void;
  /** No command will come any more: `served` is rejected, if it has not come. */
  readonly giveUp: () => void;
  /** Resets the data channel that has come of it. */
  abort: ((cause: TransferCause) => void) | undefined;
  /** Takes back what leads a borrowed address here. */
  unlead: (() => void) | undefined;
}

/** @param armed whether a connection goes on at once */
export function newLease(expectation: Expectation, request: PinholeRequest, armed: boolean): Lease {
  let serve = (): void => undefined;
  let giveUp = (): void => undefined;
  const served = new Promise<void>((resolve, reject) => {
    serve = resolve;
    giveUp = () => {
      reject(new Error('no command came for the data channel'));
    };
  });
  // Nobody may be waiting for it.
  served.catch(() => undefined);
  return {
    expectation,
    request,
    armed,
    served,
    serve,
    giveUp,
    abort: undefined,
    early: undefined,
    command: undefined,
    unlead: undefined,
  };
}
