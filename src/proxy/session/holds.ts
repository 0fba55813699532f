/**
 * Why no line is delivered for now: a pinhole is being opened, the server has to reply first, the last line is not
 * true for the client yet, more will be known in the next turn of the event loop, the client or the server does not
 * read, refusals have to be paid for, or the connection is being given to TLS or taken from it.
 */
export type Hold =
  'pinhole' | 'reply' | 'order' | 'turn' | 'client-drain' | 'server-drain' | 'penalty' | 'tls';

/** Those that end by themselves, whatever the two sides do. */
const brief: ReadonlySet<Hold | 'lent'> = new Set(['pinhole', 'order', 'turn']);

/** What a control channel is held by. */
export class Holds {
  /** `lent`: the connection is somebody else's for now. */
  readonly #all = new Set<Hold | 'lent'>();

  get areThere(): boolean {
    return this.#all.size > 0;
  }

  /** Whether there are some, and none but those that end by themselves. */
  get areBrief(): boolean {
    for (const why of this.#all) if (!brief.has(why)) return false;
    return this.#all.size > 0;
  }

  has(why: Hold | 'lent'): boolean {
    return this.#all.has(why);
  }

  add(why: Hold | 'lent'): void {
    this.#all.add(why);
  }

  /** Returns whether it was there, and was the last. */
  remove(why: Hold | 'lent'): boolean {
    return this.#all.delete(why) && this.#all.size === 0;
  }
}
