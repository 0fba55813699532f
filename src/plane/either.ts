import { familyOf } from '../net/address.ts';
import type { PinholeRequest, Plane, RangePlane } from './plane.ts';

/** The kernel plane, and the relay plane for what the kernel cannot carry. */
export function createEitherPlane(kernel: Plane, relay: RangePlane): RangePlane {
  return {
    open: (request) => (kernelCarries(request) ? kernel : relay).open(request),
    openRange: (request) => relay.openRange(request),
    get channels() {
      return kernel.channels + relay.channels;
    },
    close: async (grace) => {
      await Promise.all([kernel.close(grace), relay.close(grace)]);
    },
  };
}

/** NAT leads IPv4 to IPv4 and IPv6 to IPv6, and it ends no TLS. */
export function kernelCarries({ peer, address, to, from, protection }: PinholeRequest): boolean {
  if (protection) return false;
  return [address, to.address, from.address].every((each) => familyOf(each) === familyOf(peer));
}
