/** Random numbers that a seed repeats on every machine (mulberry32). */
export class Random {
  readonly #seed: number;
  #state: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#state = this.#seed;
  }

  /** 0 to 2^32 - 1 */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** 0 to `limit` - 1 */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  /** Both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  chance(probability: number): boolean {
    return this.next() < probability * 0x1_0000_0000;
  }

  pick<T>(list: readonly T[]): T {
    const picked = list[this.below(list.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** One of these, each as often as its weight says. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T {
    let left = this.next() % choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      if (left < weight) return value;
      left -= weight;
    }
    throw new Error('nothing to choose from');
  }

  /** Bytes of all kinds, those that mean something to FTP more often than others; one character each. */
  bytes(length: number): string {
    const special = '\r\n\0\xff\xf4\xf2\x16 \t,|()-0123456789PASVORT227';
    let text = '';
    for (let n = 0; n < length; n++) {
      text += this.chance(0.5)
        ? special.charAt(this.below(special.length))
        : String.fromCharCode(this.below(256));
    }
    return text;
  }

  /** Letters and digits. */
  word(length: number): string {
    const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
    return Array.from({ length }, () => letters.charAt(this.below(letters.length))).join('');
  }

  /** Numbers of its own for a part of the whole, whatever the other parts take. */
  fork(...labels: readonly number[]): Random {
    const mix = (mixed: number, label: number): number =>
      new Random(mixed ^ Math.imul(label + 1, 0x9e3779b1)).next();
    return new Random(labels.reduce(mix, new Random(this.#seed).next()));
  }
}
