/** Consecutive refusals without a penalty: clients try commands that are refused (AUTH, EPSV), and continue. */
const free = 10;
/** Milliseconds that the first one costs that is not free; each further one costs twice as much, up to the most. */
const firstDelay = 20;
const longestDelay = 1000;

/** Counts the consecutive refusals of a session, and says what each costs; `Penalties` carries that out. Pure. */
export class Refusals {
  readonly #most: number;
  #count = 0;

  /** @param most how many of them end the session; 0: it goes on, and is slow */
  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  /** One more refusal. Returns for how many milliseconds the client is to wait; undefined where the session is to end. */
  add(): number | undefined {
    this.#count++;
    if (this.#most > 0 && this.#count >= this.#most) return undefined;
    if (this.#count <= free) return 0;
    return Math.min(longestDelay, firstDelay * 2 ** (this.#count - free - 1));
  }

  /** The client has had an answer that is no refusal. */
  clear(): void {
    this.#count = 0;
  }
}
