import { anyPort, type PortRange } from '../net/port-range.ts';
import { NoFreePortError, type Pinhole, type PinholeRequest, type RangePlane } from '../plane/plane.ts';

/** How often one pinhole asks for more ports: what it gets may be in use by somebody unknown. */
const mostQuestions = 16;

/**
 * A plane that has a part of the ports: where none of them is free, it asks for more.
 *
 * @param more asks the other processes for ports of a range; returns what they have given
 */
export function createSharingPlane(
  plane: RangePlane,
  more: (ports: PortRange) => Promise<readonly number[]>,
): RangePlane {
  return {
    open: (request) => openSomewhere(plane, request, more),
    openRange: (request) => plane.openRange(request),
    get channels() {
      return plane.channels;
    },
    progress: () => plane.progress(),
    close: (grace) => plane.close(grace),
  };
}

async function openSomewhere(
  plane: RangePlane,
  request: PinholeRequest,
  more: (ports: PortRange) => Promise<readonly number[]>,
): Promise<Pinhole> {
  const given = new Set<number>();
  for (let questions = 0; ; questions++) {
    try {
      return await plane.open(request);
    } catch (error) {
      if (!(error instanceof NoFreePortError) || questions === mostQuestions) throw error;
      // The others have no more of them.
      if (request.ports === anyPort) throw error;
      const ports = await more(request.ports);
      // What comes back again and again helps nobody.
      if (ports.every((port) => given.has(port))) throw error;
      for (const port of ports) given.add(port);
    }
  }
}
