/**
 * Something that comes once, or will not any more. Its promise is made for who asks first: nobody waits for what most data
 * channels could be waited for.
 */
export class Awaited {
  #state: 'open' | 'come' | 'failed' = 'open';
  readonly #why: string;
  #promise: Promise<void> | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((why: Error) => void) | undefined;

  /** @param why what the promise is rejected with */
  constructor(why = '') {
    this.#why = why;
  }

  /** Settled when it has come, rejected where it will not. Nobody need wait for it. */
  get promise(): Promise<void> {
    return (this.#promise ??= this.#newPromise());
  }

  come(): void {
    if (this.#state !== 'open') return;
    this.#state = 'come';
    this.#resolve?.();
  }

  /** It will not come any more, if it has not. */
  fail(): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#reject?.(new Error(this.#why));
  }

  #newPromise(): Promise<void> {
    if (this.#state === 'come') return Promise.resolve();
    const promise = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      if (this.#state === 'failed') reject(new Error(this.#why));
    });
    promise.catch(() => undefined);
    return promise;
  }
}
