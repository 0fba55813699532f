import { kernelCarries } from '../helper/carrying.ts';
import type { Plane, RangePlane } from './plane.ts';

/** The kernel plane, and the relay plane for what the kernel cannot carry. */
export function createEitherPlane(kernel: Plane, relay: RangePlane): RangePlane {
  return {
    open: (request) => (kernelCarries(request) ? kernel : relay).open(request),
    openRange: (request) => relay.openRange(request),
    get channels() {
      return kernel.channels + relay.channels;
    },
    progress: () => [...kernel.progress(), ...relay.progress()],
    close: async (grace) => {
      await Promise.all([kernel.close(grace), relay.close(grace)]);
    },
  };
}
