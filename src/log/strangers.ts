import type { Event } from '../events.ts';
import { networkOf } from '../net/cidr.ts';
import { levelOf, wordsOf } from './event-line.ts';
import type { RepeatsLimit } from './limit-repeats.ts';
import type { Kind } from './repeats.ts';

/** How many lines of TLS that begins and ends a session has at most before it logs in. */
const mostChanges = 10;

interface Stranger {
  readonly kind: Kind;
  /** Whether its lines were to be written from the first on. */
  readonly isReserved: boolean;
  /** What is not written yet, and when it was; absent where its lines are written as they come. */
  held: Held[] | undefined;
  changes: number;
}

interface Held {
  readonly event: Event;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly user: string | undefined;
}

/** What holding back needs of the log. */
interface Writer {
  userOf(event: Event): string | undefined;
  /**
   * @param at when it was, in milliseconds since 1970
   * @param user whom USER had named then
   */
  write(event: Event, at: number, user: string | undefined): void;
}

/**
 * Limits what is written of sessions that end without a log in: of one client the lines of the first few, the others as
 * one number. As nobody knows how a session will end, its lines are held back beyond that. They are written, with the
 * time when it was, once it logs in or before any other line of it, and are lost where it ends before.
 */
export class Strangers {
  readonly #limit: RepeatsLimit;
  readonly #ipv6Prefix: number;
  readonly #writer: Writer;
  /** Those that have not logged in, by session. */
  readonly #strangers = new Map<number, Stranger>();

  constructor(limit: RepeatsLimit, ipv6Prefix: number, writer: Writer) {
    this.#limit = limit;
    this.#ipv6Prefix = ipv6Prefix;
    this.#writer = writer;
  }

  /** Whether this session has not logged in. */
  has(session: number): boolean {
    return this.#strangers.has(session);
  }

  /** Takes every event, and returns whether it is to be written as far as its session is concerned. */
  admit(event: Event): boolean {
    switch (event.type) {
      case 'session-opened':
        return this.#opened(event);
      case 'session-secured':
      case 'session-cleared':
      case 'session-opaque':
        return this.#changed(event);
      case 'session-logged-in':
        this.#loggedIn(event.session);
        return true;
      case 'session-closed':
        return this.#closed(event);
      default:
        return true;
    }
  }

  /** To be called before a line of an event is written: what was held back of its session comes first. */
  catchUp(event: Event): void {
    const stranger = 'session' in event ? this.#strangers.get(event.session) : undefined;
    if (stranger) this.#writeHeld(stranger);
  }

  #opened(event: Event & { type: 'session-opened' }): boolean {
    const client = networkOf(event.client.address, this.#ipv6Prefix);
    const kind: Kind = { level: 'info', words: 'session closed', client };
    const isReserved = this.#limit.reserve(kind);
    const held = isReserved ? undefined : [this.#heldNow(event)];
    this.#strangers.set(event.session, { kind, isReserved, held, changes: 0 });
    return isReserved;
  }

  #changed(event: Event & { readonly session: number }): boolean {
    const { session } = event;
    const stranger = this.#strangers.get(session);
    if (!stranger) return true;
    if (++stranger.changes > mostChanges) {
      this.#limit.count({ level: levelOf(event), words: wordsOf(event), session });
      return false;
    }
    stranger.held?.push(this.#heldNow(event));
    return !stranger.held;
  }

  #loggedIn(session: number): void {
    const stranger = this.#strangers.get(session);
    if (!stranger) return;
    this.#strangers.delete(session);
    if (stranger.isReserved) this.#limit.release(stranger.kind);
    this.#writeHeld(stranger);
  }

  #closed(event: Event & { type: 'session-closed' }): boolean {
    const stranger = this.#strangers.get(event.session);
    this.#strangers.delete(event.session);
    if (!stranger) return true;
    const level = levelOf(event);
    const isOfItsOwn = level !== stranger.kind.level;
    const kind = isOfItsOwn ? { ...stranger.kind, level, reason: event.reason } : stranger.kind;
    const hasRoom = isOfItsOwn && this.#limit.reserve(kind);
    const isTold = hasRoom || !stranger.held;
    if (isTold) this.#writeHeld(stranger);
    else this.#limit.count(kind);
    return isTold;
  }

  #writeHeld(stranger: Stranger): void {
    for (const { event, at, user } of stranger.held ?? []) this.#writer.write(event, at, user);
    stranger.held = undefined;
  }

  #heldNow(event: Event): Held {
    return { event, at: Date.now(), user: this.#writer.userOf(event) };
  }
}
