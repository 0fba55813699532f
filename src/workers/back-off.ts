/** A process that has run for so many milliseconds has started well. */
const wellStarted = 10_000;
/** The first wait after a bad start, in milliseconds; each further one is twice as long. */
const firstWait = 500;
const longestWait = 30_000;

/** How long a process that has died is waited for until it is started anew: the longer, the more often it dies at once. */
export class BackOff {
  #quickDeaths = 0;

  /**
   * It has died.
   *
   * @param lived for how many milliseconds it had run
   * @returns the milliseconds to wait
   */
  died(lived: number): number {
    if (lived >= wellStarted) {
      this.#quickDeaths = 0;
      return 0;
    }
    const wait = firstWait * 2 ** this.#quickDeaths;
    if (wait < longestWait) this.#quickDeaths++;
    return Math.min(longestWait, wait);
  }
}
