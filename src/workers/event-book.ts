import type { Event, PinholeFacts, TransferCommand } from '../events.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { DataProgress } from '../plane/plane.ts';

interface OpenSession {
  readonly client: Endpoint;
  readonly since: number;
  /** The pinhole that was opened last. */
  latest: OpenPinhole | undefined;
}

interface OpenPinhole {
  readonly facts: PinholeFacts;
  /** When somebody has come. */
  taken: number | undefined;
  command: TransferCommand | undefined;
}

/** What ends sessions and data channels with their worker. */
type End = 'worker-died' | 'shutdown';

/**
 * What one worker has told and what has not ended of that, so that the end of the worker is the end of it. Each worker
 * counts its expectations from 1: here they get numbers that no other worker's have.
 */
export class EventBook {
  readonly #nextNumber: () => number;
  readonly #now: () => number;
  readonly #numbers = new Map<number, number>();
  readonly #sessions = new Map<number, OpenSession>();
  readonly #pinholes = new Map<number, OpenPinhole>();
  #progress: readonly DataProgress[] = [];

  constructor(nextNumber: () => number, now: () => number = () => performance.now()) {
    this.#nextNumber = nextNumber;
    this.#now = now;
  }

  /** How many data channels are open. */
  get channels(): number {
    let channels = 0;
    for (const { taken } of this.#pinholes.values()) if (taken !== undefined) channels++;
    return channels;
  }

  /** How far data channels were when the worker told it last. */
  get progress(): readonly DataProgress[] {
    return this.#progress;
  }

  /** @param progress with the worker's own numbers */
  told(progress: readonly DataProgress[]): void {
    this.#progress = progress.flatMap((each) => {
      const expectation = this.#numbers.get(each.expectation);
      return expectation === undefined ? [] : [{ ...each, expectation }];
    });
  }

  /** Takes an event of the worker's, and returns it as it is told here. */
  enter(told: Event): Event {
    const event = 'expectation' in told ? { ...told, expectation: this.#numberOf(told) } : told;
    switch (event.type) {
      case 'session-opened':
        this.#sessions.set(event.session, { client: event.client, since: this.#now(), latest: undefined });
        break;
      case 'session-closed':
        this.#sessions.delete(event.session);
        break;
      case 'pinhole-opened':
        this.#opened(event);
        break;
      case 'pinhole-taken':
        this.#pinholeOf(event).taken = this.#now();
        break;
      case 'transfer-begun': {
        const latest = this.#sessions.get(event.session)?.latest;
        if (latest) latest.command = event.command;
        break;
      }
      case 'pinhole-closed':
      case 'data-channel-closed':
      case 'transfer-ended':
        this.#pinholes.delete(event.expectation);
        if ('expectation' in told) this.#numbers.delete(told.expectation);
        break;
      default:
        break;
    }
    return event;
  }

  /**
   * The worker has ended: what is told of that. Data channels come first, as they need their session's name.
   *
   * @param why `shutdown` where it was told to reset all that it had
   */
  ends(why: End = 'worker-died'): Event[] {
    const progress = new Map(this.#progress.map((each) => [each.expectation, each]));
    const events = [...this.#pinholes.values()].map((pinhole) =>
      this.#endOf(pinhole, why, progress.get(pinhole.facts.expectation)),
    );
    const closed = [...this.#sessions].map(([session, { client, since }]): Event => {
      return { type: 'session-closed', session, client, reason: why, seconds: this.#since(since) };
    });
    this.#pinholes.clear();
    this.#sessions.clear();
    this.#numbers.clear();
    this.#progress = [];
    return [...events, ...closed];
  }

  #endOf({ facts, taken, command }: OpenPinhole, cause: End, progress: DataProgress | undefined): Event {
    if (taken === undefined) return { type: 'pinhole-closed', reason: 'session-closed', ...facts };
    const ended = { command, seconds: this.#since(taken), cause, ...facts } as const;
    if (!command) return { type: 'data-channel-closed', ...ended };
    const { uploaded = 0, downloaded = 0 } = progress ?? {};
    return { type: 'transfer-ended', ...ended, uploaded, downloaded };
  }

  #opened(event: Event & { readonly type: 'pinhole-opened' }): void {
    const session = this.#sessions.get(event.session);
    const pinhole = this.#pinholeOf(event);
    if (session) session.latest = pinhole;
  }

  #pinholeOf({ session, expectation, plane, mode, peer, at, to }: PinholeFacts): OpenPinhole {
    const known = this.#pinholes.get(expectation);
    if (known) return known;
    const facts = { session, expectation, plane, mode, peer, at, to };
    const pinhole: OpenPinhole = { facts, taken: undefined, command: undefined };
    this.#pinholes.set(expectation, pinhole);
    return pinhole;
  }

  #numberOf({ expectation }: { readonly expectation: number }): number {
    const known = this.#numbers.get(expectation);
    if (known !== undefined) return known;
    const number = this.#nextNumber();
    this.#numbers.set(expectation, number);
    return number;
  }

  #since(time: number): number {
    return (this.#now() - time) / 1000;
  }
}
