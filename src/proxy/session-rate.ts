/**
 * How fast the sessions of one client begin that do not log in. A connection costs its client nothing, and the server a
 * process and the relay a handshake: whoever opens them without end would take that time from everybody else.
 *
 * It starts with `burst` sessions, and gets one back with each login and `perSecond` every second. Without any left, each
 * new session waits until there is one.
 */
export class SessionRate {
  readonly #now: () => number;
  #credit = burst;
  /** When `#credit` was right. */
  #at: number;

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#at = now();
  }

  /**
   * Begins a session.
   *
   * @param longest how long it may wait, in milliseconds
   * @returns the milliseconds for which it has to wait; undefined where that is longer, and nothing has begun
   */
  begin(longest: number): number | undefined {
    this.#refill();
    const wait = Math.max(0, ((1 - this.#credit) / perSecond) * 1000);
    if (wait > longest) return undefined;
    this.#credit--;
    return wait;
  }

  /** A session that began has logged in. */
  loggedIn(): void {
    this.#refill();
    this.#credit = Math.min(burst, this.#credit + 1);
  }

  #refill(): void {
    const now = this.#now();
    this.#credit = Math.min(burst, this.#credit + ((now - this.#at) / 1000) * perSecond);
    this.#at = now;
  }
}

/** A browser opens ten, a mirror some tens; all that a host had used is given back within two seconds. */
const burst = 200;
const perSecond = 100;
