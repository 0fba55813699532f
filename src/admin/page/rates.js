// Rates from differences: what flows now, and not since the beginning.

/** Milliseconds that a rate looks back. */
const window = 6000;

/** Totals of things that come and go, and how fast each grows. */
export class Rates {
  /** @type {Map<number, { time: number, total: number }[]>} */
  #seen = new Map();

  /**
   * Takes the totals of this moment; what is not among them is forgotten.
   *
   * @param {readonly { id: number, total: number }[]} totals
   * @param {number} time milliseconds
   */
  look(totals, time) {
    const before = this.#seen;
    this.#seen = new Map(
      totals.map(({ id, total }) => {
        const past = (before.get(id) ?? []).filter((each) => time - each.time <= window);
        return [id, [...past, { time, total }]];
      }),
    );
  }

  /**
   * Bytes a second; undefined where it has been seen only once.
   *
   * @param {number} id
   */
  of(id) {
    const seen = this.#seen.get(id) ?? [];
    const [first] = seen;
    const last = seen.at(-1);
    if (!first || !last || last.time === first.time) return undefined;
    return Math.max(0, ((last.total - first.total) * 1000) / (last.time - first.time));
  }
}

/** Two samples closer than that, in milliseconds, say little of a rate: the last is of this moment. */
const shortest = 2000;

/**
 * Bytes a second between the samples of the history.
 *
 * @param {readonly any[]} samples the oldest first
 * @returns {{ time: number, up: number | undefined, down: number | undefined, sessions: number, transfers: number, ports: number }[]}
 */
export function pointsOf(samples) {
  return samples.map((sample, index) => {
    const isClose = index > 0 && sample.time - samples[index - 1].time < shortest;
    const before = samples[index - (isClose ? 2 : 1)];
    const seconds = before ? (sample.time - before.time) / 1000 : 0;
    const rate = (/** @type {'uploaded' | 'downloaded'} */ of) =>
      seconds > 0 ? Math.max(0, (sample[of] - before[of]) / seconds) : undefined;
    const { time, sessions, transfers, ports } = sample;
    return { time, up: rate('uploaded'), down: rate('downloaded'), sessions, transfers, ports };
  });
}
