/**
 * How long a session may go on: first until it has logged in, counted from its start, then while it is silent.
 * Durations are in milliseconds.
 */
export class SessionClock {
  #timer: NodeJS.Timeout;
  #isIdleTimer = false;
  readonly #loginBy: number;

  constructor(loginTimeout: number, loginIsLate: () => void) {
    this.#loginBy = performance.now() + loginTimeout;
    this.#timer = setTimeout(loginIsLate, loginTimeout);
  }

  /** From the log in on. `idle` returns whether it may go on, because a data channel is open. */
  loggedIn(idleTimeout: number, idle: () => boolean): void {
    if (this.#isIdleTimer) return;
    this.#isIdleTimer = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (idle()) this.#timer.refresh();
    }, idleTimeout);
  }

  /** How long the log in may still take. */
  get left(): number {
    return Math.max(0, this.#loginBy - performance.now());
  }

  /** Something was said. */
  touch(): void {
    if (this.#isIdleTimer) this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
