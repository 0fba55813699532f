/** Durations are in milliseconds. */
interface SessionTimeouts {
  readonly loginTimeout: number;
  readonly idleTimeout: number;
}

interface SessionClockListener {
  loginIsLate(): void;
  /** The session has been silent for too long. Returns whether it lives on all the same. */
  wasSilent(): boolean;
}

/** The time limits of a session: until the login, counted from its start, then while it is idle. */
export class SessionClock {
  readonly #idleTimeout: number;
  readonly #listener: SessionClockListener;
  #timer: NodeJS.Timeout;
  #isIdleTimer = false;
  readonly #loginBy: number;

  constructor({ loginTimeout, idleTimeout }: SessionTimeouts, listener: SessionClockListener) {
    this.#idleTimeout = idleTimeout;
    this.#listener = listener;
    this.#loginBy = performance.now() + loginTimeout;
    this.#timer = setTimeout(() => {
      listener.loginIsLate();
    }, loginTimeout);
  }

  /** From the log in on the session may be silent for so long. */
  loggedIn(): void {
    if (this.#isIdleTimer) return;
    this.#isIdleTimer = true;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#listener.wasSilent()) this.#timer.refresh();
    }, this.#idleTimeout);
  }

  /** How long the log in may still take. */
  get left(): number {
    return Math.max(0, this.#loginBy - performance.now());
  }

  /** There was activity. */
  touch(): void {
    if (this.#isIdleTimer) this.#timer.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
