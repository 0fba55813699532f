import type { Carrier, Mode, PinholeFacts } from '../events.ts';
import type { Address } from '../net/address.ts';
import type { Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';

/** The record of one announced data connection (`struct nf_conntrack_expect` in user space). */
export interface Expectation {
  readonly id: number;
  readonly session: number;
  readonly plane: Carrier;
  readonly mode: Mode;
  /** Who may connect, from any port. */
  readonly peer: Address;
  /** Networks that may connect besides the peer: FXP. */
  readonly alsoFrom: readonly Cidr[];
  /** Where the peer connects to. */
  readonly at: Endpoint;
  /** Where the connection leads. */
  readonly to: Endpoint;
  /** Until when it may be claimed, in the milliseconds of the clock that the table is asked with. */
  readonly expires: number;
}

/** What is told of an expectation, whatever happens to it. */
export function factsOf({ id, session, plane, mode, peer, at, to }: Expectation): PinholeFacts {
  return { session, expectation: id, plane, mode, peer, at, to };
}
