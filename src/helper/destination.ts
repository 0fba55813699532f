import type { Address } from '../net/address.ts';
import { contains, type Cidr } from '../net/cidr.ts';
import type { Endpoint } from '../net/endpoint.ts';

/** What is known of where a client's control connection is to lead. */
export interface Meant {
  /** Where the client connected to, before a redirect rule led it here. */
  readonly original: Endpoint;
  /** Where it arrived; the same, where no rule did. */
  readonly arrived: Endpoint;
}

/**
 * Where a session leads.
 * - `named`: to the server that the configuration names.
 * - `meant`: to the server that the client meant.
 * - `refuse`: nowhere.
 */
export type Destination =
  | { readonly kind: 'named' }
  | { readonly kind: 'meant'; readonly server: Endpoint }
  | { readonly kind: 'refuse'; readonly reason: 'loop' | 'destination-not-allowed' };

export interface DestinationPolicy {
  /** Whether the configuration names a server. */
  readonly isNamed: boolean;
  /** Networks that intercepted sessions may go to; undefined: none are intercepted. */
  readonly intercepted: readonly Cidr[] | undefined;
  /** Whether an address is one of this host's. */
  readonly isOwnAddress: (address: Address) => boolean;
}

/** Decides where a session leads. What was not redirected was meant for the relay itself. */
export function destinationOf({ original, arrived }: Meant, policy: DestinationPolicy): Destination {
  const { isNamed, intercepted, isOwnAddress } = policy;
  const isRedirected = original.address !== arrived.address || original.port !== arrived.port;
  if (!intercepted || (isNamed && (!isRedirected || isOwnAddress(original.address))))
    return { kind: 'named' };
  // Services of this host are for its own firewall to protect: no session connects to them from inside.
  if (!isRedirected || isOwnAddress(original.address)) return { kind: 'refuse', reason: 'loop' };
  if (!intercepted.some((network) => contains(network, original.address))) {
    return { kind: 'refuse', reason: 'destination-not-allowed' };
  }
  return { kind: 'meant', server: original };
}
