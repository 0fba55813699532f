import { familyOf } from '../net/address.ts';
import type { PinholeRequest, Plane } from './plane.ts';

/** The kernel plane, and the relay plane for what the kernel cannot carry. */
export function createEitherPlane(kernel: Plane, relay: Plane): Plane {
  return {
    open: (request) => (kernelCarries(request) ? kernel : relay).open(request),
    close: async (grace) => {
      await Promise.all([kernel.close(grace), relay.close(grace)]);
    },
  };
}

/** NAT leads IPv4 to IPv4 and IPv6 to IPv6. */
export function kernelCarries({ peer, address, to, from }: PinholeRequest): boolean {
  return [address, to.address, from.address].every((each) => familyOf(each) === familyOf(peer));
}
