import type { PortRange } from '../net/port-range.ts';

/**
 * Which of several workers may use which ports. They are shared out at random, as a port that can be guessed can be
 * connected to first; a worker that dies leaves its ports to the next one at its place.
 */
export class PortLeases {
  readonly #places: number;
  readonly #random: (below: number) => number;
  readonly #holders = new Map<number, number>();

  /**
   * @param places how many workers there are, which are numbered from 0
   * @param random gives an unpredictable integer from 0 to below its argument
   */
  constructor(places: number, random: (below: number) => number) {
    this.#places = places;
    this.#random = random;
  }

  /**
   * Shares out what nobody has of these ranges.
   *
   * @returns what each place has got
   */
  cover(ranges: readonly PortRange[]): readonly (readonly number[])[] {
    const free = new Set<number>();
    for (const { first, last } of ranges) {
      for (let port = first; port <= last; port++) if (!this.#holders.has(port)) free.add(port);
    }
    const shares: number[][] = Array.from({ length: this.#places }, () => []);
    this.#shuffled([...free]).forEach((port, index) => {
      const place = index % this.#places;
      this.#holders.set(port, place);
      shares[place]?.push(port);
    });
    return shares;
  }

  /** What a place has. */
  of(place: number): number[] {
    return [...this.#holders].flatMap(([port, holder]) => (holder === place ? [port] : []));
  }

  /** Ports go from one place to another. @returns those that the first had */
  move(ports: readonly number[], from: number, to: number): number[] {
    const moved = ports.filter((port) => this.#holders.get(port) === from);
    for (const port of moved) this.#holders.set(port, to);
    return moved;
  }

  #shuffled(ports: number[]): number[] {
    for (let left = ports.length; left > 1; left--) {
      const picked = this.#random(left);
      const [one = 0, other = 0] = [ports[picked], ports[left - 1]];
      ports[picked] = other;
      ports[left - 1] = one;
    }
    return ports;
  }
}

/** Half of some ports, and at least one of them where there is one: what a worker gives to another. */
export function halfOf(ports: readonly number[]): number[] {
  return ports.slice(0, Math.ceil(ports.length / 2));
}
