/** Keeps counters from falling: each is the highest value that it has had. */
export class Rising {
  readonly #highest = new Map<string, number>();

  /** @returns the value, or the highest before it */
  of(key: string, value: number): number {
    const highest = Math.max(value, this.#highest.get(key) ?? 0);
    this.#highest.set(key, highest);
    return highest;
  }
}
