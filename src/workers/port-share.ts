import { portCandidates } from '../expectation/port-pool.ts';
import { anyPort, portIn, type PortRange } from '../net/port-range.ts';
import { halfOf } from './port-leases.ts';

/** The ports that a worker may use. */
export class PortShare {
  readonly #held = new Set<number>();
  /** The same by range, as far as they were asked for. */
  readonly #byRange = new Map<string, readonly number[]>();

  add(ports: Iterable<number>): void {
    for (const port of ports) this.#held.add(port);
    this.#byRange.clear();
  }

  /**
   * The ports to try, in the order of `portCandidates`. Each is the worker's at the moment when it is asked for; those of
   * another host's address are nobody's, and nftables says which of them another worker uses for the same peer.
   *
   * @param random gives an unpredictable integer from 0 to below its argument
   */
  *candidates(range: PortRange, preferred: number, random: (below: number) => number): Generator<number> {
    if (range === anyPort) {
      yield* portCandidates(range, preferred, random);
      return;
    }
    const ports = this.#within(range);
    if (portIn([range], preferred) && this.#held.has(preferred)) yield preferred;
    if (ports.length === 0) return;
    for (const index of portCandidates({ first: 0, last: ports.length - 1 }, -1, random)) {
      const port = ports[index];
      if (port !== undefined && this.#held.has(port)) yield port;
    }
  }

  /** Gives up half of what it does not use of a range. @returns which those are */
  giveBack(range: PortRange, used: ReadonlySet<number>): number[] {
    const given = halfOf(this.#within(range).filter((port) => !used.has(port)));
    for (const port of given) this.#held.delete(port);
    if (given.length > 0) this.#byRange.clear();
    return given;
  }

  #within(range: PortRange): readonly number[] {
    const key = `${range.first}-${range.last}`;
    const known = this.#byRange.get(key);
    if (known) return known;
    const ports = [...this.#held].filter((port) => portIn([range], port));
    this.#byRange.set(key, ports);
    return ports;
  }
}
