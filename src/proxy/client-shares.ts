import { Turns, type Share } from './session/turns.ts';

/** How long it is known what a client had used when its last session ended, in milliseconds: until it is owed all again. */
const memory = 2000;

/** What each client has of the event loop's time: who goes and comes again has used what it had used. */
export class ClientShares {
  readonly #turns = new Turns();
  readonly #clients = new Map<string, { readonly share: Share; sessions: number }>();

  /** A session of the client begins; `leave` has to follow. */
  enter(client: string): Share {
    const known = this.#clients.get(client);
    const entry = known ?? { share: this.#turns.share(), sessions: 0 };
    if (!known) this.#clients.set(client, entry);
    entry.sessions++;
    return entry.share;
  }

  leave(client: string): void {
    const entry = this.#clients.get(client);
    if (!entry) return;
    entry.sessions--;
    if (entry.sessions > 0) return;
    setTimeout(() => {
      if (entry.sessions === 0 && this.#clients.get(client) === entry) this.#clients.delete(client);
    }, memory).unref();
  }
}
