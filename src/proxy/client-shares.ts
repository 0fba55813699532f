import { SessionRate } from './session-rate.ts';
import { Turns, type Share } from './session/turns.ts';

/** How long it is known what a client had used when its last session ended, in milliseconds: until it is owed all again. */
const memory = 2000;

/** What one client has of this process. */
export interface ClientShare {
  /** Its part of the event loop's time. */
  readonly time: Share;
  readonly rate: SessionRate;
}

interface Entry extends ClientShare {
  sessions: number;
  /** Set while it has none. */
  forgetting: NodeJS.Timeout | undefined;
}

/** What each client has of this process: who goes and comes again has used what it had used. */
export class ClientShares {
  readonly #turns = new Turns(undefined, undefined, () => this.isContended);
  readonly #clients = new Map<string, Entry>();

  /** Whether more than one client has sessions, or had them a moment ago. */
  get isContended(): boolean {
    return this.#clients.size > 1;
  }

  /** A session of the client begins; `leave` has to follow. */
  enter(client: string): ClientShare {
    const known = this.#clients.get(client);
    const entry = known ?? {
      time: this.#turns.share(),
      rate: new SessionRate(),
      sessions: 0,
      forgetting: undefined,
    };
    if (!known) this.#clients.set(client, entry);
    clearTimeout(entry.forgetting);
    entry.sessions++;
    return entry;
  }

  leave(client: string): void {
    const entry = this.#clients.get(client);
    if (!entry) return;
    entry.sessions--;
    if (entry.sessions > 0) return;
    entry.forgetting = setTimeout(() => {
      this.#clients.delete(client);
    }, memory).unref();
  }
}
