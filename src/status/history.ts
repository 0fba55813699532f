/** How it stood at one moment. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Bytes carried since the start. */
  readonly uploaded: number;
  readonly downloaded: number;
  readonly sessions: number;
  readonly transfers: number;
  /** Ports of the passive range where somebody is expected. */
  readonly ports: number;
}

/** The last hour, one sample each 10 s. */
const interval = 10_000;
const most = 360;

/** The last hour, sampled as long as it runs. */
export class History {
  readonly #look: () => Sample;
  readonly #samples: Sample[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(look: () => Sample) {
    this.#look = look;
    this.#samples.push(look());
    this.#timer = setInterval(() => {
      this.#samples.push(this.#look());
      if (this.#samples.length > most) this.#samples.shift();
    }, interval).unref();
  }

  /** The oldest first, and now. */
  read(): Sample[] {
    return [...this.#samples, this.#look()];
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
