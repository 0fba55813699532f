import type { Carrier, Event, Mode, PinholeFacts, TransferCommand } from '../events.ts';
import type { Address } from '../net/address.ts';
import type { TlsFacts } from '../net/channel.ts';
import type { Endpoint } from '../net/endpoint.ts';

/** A session as the roster has it. Times are milliseconds of `performance.now`. */
export type LiveSession = Readonly<Omit<SessionRecord, 'observe' | 'latest'>>;

/** A pinhole or a data connection as the roster has it. Times are milliseconds of `performance.now`. */
export type LivePinhole = Readonly<PinholeRecord>;

/**
 * Who is connected, what is expected, and what is being transferred: the listener of the event stream that knows the
 * present.
 */
export class Roster {
  readonly #now: () => number;
  readonly #sessions = new Map<number, SessionRecord>();
  readonly #pending = new Map<number, PinholeRecord>();
  readonly #open = new Map<number, PinholeRecord>();
  /** What has ended by the event before: who hears that one after the roster may still ask. */
  #endedSession: number | undefined;
  #endedPinhole: number | undefined;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  get sessions(): Iterable<LiveSession> {
    this.#forget();
    return this.#sessions.values();
  }

  get sessionCount(): number {
    this.#forget();
    return this.#sessions.size;
  }

  session(id: number): LiveSession | undefined {
    return this.#sessions.get(id);
  }

  /** A pinhole or a data connection, also that which an event has just ended. */
  pinhole(id: number): LivePinhole | undefined {
    return this.#pending.get(id) ?? this.#open.get(id);
  }

  /** Pinholes that nobody has connected to yet. */
  get pending(): Iterable<LivePinhole> {
    this.#forget();
    return this.#pending.values();
  }

  get pendingCount(): number {
    this.#forget();
    return this.#pending.size;
  }

  /** Data connections. */
  get open(): Iterable<LivePinhole> {
    this.#forget();
    return this.#open.values();
  }

  get openCount(): number {
    this.#forget();
    return this.#open.size;
  }

  /** Whom USER had named in the session of an event, when it happened. */
  userOf(event: Event): string | undefined {
    if (!('session' in event)) return undefined;
    // A data connection outlives its session.
    const pinhole = 'expectation' in event ? this.pinhole(event.expectation) : undefined;
    return this.#sessions.get(event.session)?.user ?? pinhole?.user;
  }

  /** The client of the session of an event; undefined once that has ended. */
  clientOf(event: Event): Endpoint | undefined {
    return 'session' in event ? this.#sessions.get(event.session)?.client : undefined;
  }

  /** Bytes that the transfer on the data connection of an event was announced to have. */
  sizeOf(event: Event): number | undefined {
    return 'expectation' in event ? this.#open.get(event.expectation)?.size : undefined;
  }

  /** To be told before every other listener: those may ask about the session of an event. */
  readonly observe = (event: Event): void => {
    this.#forget();
    switch (event.type) {
      case 'session-opened':
        this.#sessions.set(event.session, new SessionRecord(event, this.#now()));
        break;
      case 'session-closed':
        this.#endedSession = event.session;
        break;
      case 'pinhole-opened':
        this.#opened(event);
        break;
      case 'pinhole-taken':
        this.#taken(event);
        break;
      case 'pinhole-closed':
      case 'data-channel-closed':
        this.#endedPinhole = event.expectation;
        break;
      case 'transfer-begun':
        this.#begun(event);
        break;
      case 'transfer-ended':
        this.#transferred(event);
        break;
      default:
        if ('session' in event) this.#sessions.get(event.session)?.observe(event);
    }
  };

  #forget(): void {
    if (this.#endedSession !== undefined) this.#sessions.delete(this.#endedSession);
    if (this.#endedPinhole !== undefined) {
      this.#open.delete(this.#endedPinhole);
      this.#pending.delete(this.#endedPinhole);
    }
    this.#endedSession = undefined;
    this.#endedPinhole = undefined;
  }

  #opened(event: Event & { type: 'pinhole-opened' }): void {
    const session = this.#sessions.get(event.session);
    const pinhole = new PinholeRecord(event, session?.user, this.#now(), event.command, event.timeout);
    this.#pending.set(event.expectation, pinhole);
    if (session) session.latest = pinhole;
  }

  #taken(event: Event & { type: 'pinhole-taken' }): void {
    const known = this.#pending.get(event.expectation);
    // Of an opaque session nothing is announced.
    const user = this.#sessions.get(event.session)?.user;
    const pinhole = known ?? new PinholeRecord(event, user, this.#now(), undefined, 0);
    this.#pending.delete(event.expectation);
    pinhole.from = event.from;
    pinhole.taken = this.#now();
    this.#open.set(event.expectation, pinhole);
  }

  /** A transfer is on the data connection that its session has announced last. */
  #begun({ session, command, size }: Event & { type: 'transfer-begun' }): void {
    const record = this.#sessions.get(session);
    if (!record) return;
    record.command = command;
    if (!record.latest) return;
    record.latest.command = command;
    record.latest.size = size;
  }

  #transferred(event: Event & { type: 'transfer-ended' }): void {
    this.#endedPinhole = event.expectation;
    const session = this.#sessions.get(event.session);
    if (!session) return;
    session.transfers++;
    session.uploaded += event.uploaded;
    session.downloaded += event.downloaded;
  }
}

class SessionRecord {
  readonly id: number;
  readonly client: Endpoint;
  readonly reached: Endpoint;
  readonly server: Endpoint;
  readonly since: number;
  /** Whom USER has named; undefined before, and where the dialogue cannot be read. */
  user: string | undefined = undefined;
  isLoggedIn = false;
  /** AUTH was passed on: the dialogue cannot be read. */
  isOpaque = false;
  clientTls: TlsFacts | undefined = undefined;
  serverTls: TlsFacts | undefined = undefined;
  /** Transfers that are over, and their bytes. */
  transfers = 0;
  uploaded = 0;
  downloaded = 0;
  /** Commands that the relay has refused. */
  refusals = 0;
  /** The transfer that began last; undefined before the first. */
  command: TransferCommand | undefined = undefined;
  /** The pinhole that was opened last. */
  latest: PinholeRecord | undefined = undefined;

  constructor({ session, client, reached, server }: Event & { type: 'session-opened' }, now: number) {
    this.id = session;
    this.client = client;
    this.reached = reached;
    this.server = server;
    this.since = now;
  }

  observe(event: Event): void {
    switch (event.type) {
      case 'session-user':
        this.user = event.user;
        this.isLoggedIn = false;
        break;
      case 'session-logged-in':
        this.isLoggedIn = true;
        break;
      case 'session-secured': {
        const { type, session, side, ...facts } = event;
        if (side === 'client') this.clientTls = facts;
        else this.serverTls = facts;
        break;
      }
      case 'session-cleared':
        this.clientTls = undefined;
        break;
      case 'session-opaque':
        this.isOpaque = true;
        break;
      case 'command-refused':
        this.refusals++;
        break;
      default:
        break;
    }
  }
}

class PinholeRecord {
  readonly id: number;
  readonly session: number;
  /** Whom USER had named in its session when it was opened. */
  readonly user: string | undefined;
  readonly plane: Carrier;
  readonly mode: Mode;
  readonly peer: Address;
  readonly at: Endpoint;
  readonly to: Endpoint;
  /** The command that announced it: PORT, EPRT, PASV, EPSV; undefined where nobody could read it. */
  readonly announcedBy: string | undefined;
  readonly since: number;
  /** Until when somebody may come. */
  readonly expires: number;
  /** Who has come, and when; undefined while it is pending. */
  from: Endpoint | undefined = undefined;
  taken: number | undefined = undefined;
  /** The transfer that it carries, once the server has let it begin. */
  command: TransferCommand | undefined = undefined;
  /** Bytes that the transfer will have, as far as the dialogue tells. */
  size: number | undefined = undefined;

  constructor(
    facts: PinholeFacts,
    user: string | undefined,
    now: number,
    announcedBy: string | undefined,
    timeout: number,
  ) {
    this.id = facts.expectation;
    this.session = facts.session;
    this.user = user;
    this.plane = facts.plane;
    this.mode = facts.mode;
    this.peer = facts.peer;
    this.at = facts.at;
    this.to = facts.to;
    this.announcedBy = announcedBy;
    this.since = now;
    this.expires = now + timeout;
  }
}
