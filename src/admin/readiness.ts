import { messageOf } from '../net/error.ts';

/** Whether the server answers. */
export interface ReadinessFacts {
  readonly isReady: boolean;
  /** What was seen, in one line. */
  readonly words: string;
}

/** How long an answer is good, in milliseconds: a server is not asked once for each request. */
const goodFor = 2000;

/** Tries the server when it is asked for, once at a time. */
export class Readiness {
  readonly #tryServer: () => Promise<string>;
  #asked = -Infinity;
  #answer: Promise<ReadinessFacts> | undefined;

  /** @param tryServer has a limit of its own */
  constructor(tryServer: () => Promise<string>) {
    this.#tryServer = tryServer;
  }

  look(): Promise<ReadinessFacts> {
    if (this.#answer && performance.now() - this.#asked < goodFor) return this.#answer;
    this.#asked = performance.now();
    this.#answer = this.#try();
    return this.#answer;
  }

  async #try(): Promise<ReadinessFacts> {
    try {
      return { isReady: true, words: await this.#tryServer() };
    } catch (error) {
      return { isReady: false, words: messageOf(error) };
    } finally {
      // The time that it took does not count.
      this.#asked = performance.now();
    }
  }
}
