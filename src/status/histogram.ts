/** What a histogram has counted. */
export interface HistogramCounts {
  /** Upper bounds, ascending; beyond the last everything counts. */
  readonly bounds: readonly number[];
  /** How many values lie within each bound and above the one before; one more than there are bounds. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/** Counts values by size. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;

  /** @param bounds upper ones, ascending */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  add(value: number): void {
    let index = 0;
    while (index < this.#bounds.length && value > (this.#bounds[index] ?? Infinity)) index++;
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += value;
  }

  read(): HistogramCounts {
    return { bounds: this.#bounds, counts: [...this.#counts], sum: this.#sum };
  }
}
