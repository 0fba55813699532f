import type { Nft } from './nft.ts';
import type { Statement } from './statement.ts';

interface Pending {
  readonly statements: readonly Statement[];
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** How long a transaction may be waited for, in ms. */
const patience = 100;

/** Joins the transactions of one turn of the event loop to one, as a transaction costs more than its elements. */
export class NftQueue {
  readonly #nft: Nft;
  #pending: Pending[] = [];
  #later: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(nft: Nft) {
    this.#nft = nft;
  }

  /** Resolves when the statements, all of them, hold. @throws {NftError} and then none does */
  submit(statements: readonly Statement[]): Promise<void> {
    return new Promise((done, failed) => {
      if (this.#pending.push({ statements, done, failed }) > 1) return;
      setImmediate(() => {
        this.flush();
      });
    });
  }

  /** As `submit`, for what is in no hurry: it goes with the next transaction, or one of its own after a while. */
  submitLater(statements: readonly Statement[]): Promise<void> {
    return new Promise((done, failed) => {
      this.#later.push({ statements, done, failed });
      this.#timer ??= setTimeout(() => {
        this.flush();
      }, patience).unref();
    });
  }

  /** Runs what is pending now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const pending = [...this.#later, ...this.#pending];
    this.#later = [];
    this.#pending = [];
    if (pending.length === 0) return;
    try {
      this.#nft.run(pending.flatMap(({ statements }) => statements));
    } catch (error) {
      // One bad element fails them all: each alone, and only that one does.
      if (pending.length > 1)
        pending.forEach((each) => {
          this.#runAlone(each);
        });
      else pending[0]?.failed(error);
      return;
    }
    for (const { done } of pending) done();
  }

  #runAlone({ statements, done, failed }: Pending): void {
    try {
      this.#nft.run(statements);
      done();
    } catch (error) {
      failed(error);
    }
  }
}
