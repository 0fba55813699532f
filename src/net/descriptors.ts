/**
 * The file descriptors that a process may have open, shared out: who asks for some that are not left is refused, where
 * the system would fail whoever comes next. It counts and opens nothing.
 */
export class Descriptors {
  readonly #total: number;
  #taken = 0;

  /** @param total how many there are to share out */
  constructor(total: number) {
    this.#total = total;
  }

  get total(): number {
    return this.#total;
  }

  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes some, if they are left.
   *
   * @param share of all that there are, from 0 to 1: what goes beyond it is for others
   * @returns gives them back, and does nothing when it is called again; undefined where there are not so many
   */
  take(count: number, share = 1): (() => void) | undefined {
    if (this.#taken + count > Math.floor(this.#total * share)) return undefined;
    this.#taken += count;
    let isGiven = false;
    return () => {
      if (!isGiven) this.#taken -= count;
      isGiven = true;
    };
  }
}

/** For who counts none. */
export const unlimited: Descriptors = new Descriptors(Infinity);
