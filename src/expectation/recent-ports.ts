import { formatEndpoint, type Endpoint } from '../net/endpoint.ts';

/**
 * How long a host that closed first keeps the tuple of its connection (TIME_WAIT), in milliseconds: a server that dials
 * from port 20 cannot connect to the same port again meanwhile.
 */
const memory = 60_000;
/** The most that are remembered, oldest out first. */
const mostRemembered = 65_536;

/** What other processes of this host have used: one that drains, or its successor. Times are of this process's clock. */
export interface SharedPorts {
  tell(key: string, usedAt: number): void;
  /** What was told since it was asked last, by this process too. */
  learn(): Iterable<readonly [key: string, usedAt: number]>;
}

/** Where a peer has been expected of late: ports that it has not used for longer are tried before. */
export class RecentPorts {
  /** When each was used last, the oldest first. */
  readonly #usedAt = new Map<string, number>();
  readonly #shared: SharedPorts | undefined;

  constructor(shared?: SharedPorts) {
    this.#shared = shared;
  }

  /** @param now milliseconds, of a clock that never goes back */
  used(at: Endpoint, peer: string, now: number): void {
    const key = keyOf(at, peer);
    this.#note(key, now, now);
    this.#shared?.tell(key, now);
  }

  #note(key: string, usedAt: number, now: number): void {
    this.#usedAt.delete(key);
    this.#usedAt.set(key, usedAt);
    for (const [oldest, time] of this.#usedAt) {
      if (now - time < memory && this.#usedAt.size <= mostRemembered) break;
      this.#usedAt.delete(oldest);
    }
  }

  /**
   * The same ports: those that were used of late behind all others, the longest unused first; but for the preferred one,
   * which without anybody in between would be used again as well.
   */
  *inOrder(
    candidates: Iterable<number>,
    address: Endpoint['address'],
    peer: string,
    now: number,
    preferred = 0,
  ): Generator<number> {
    for (const [key, usedAt] of this.#shared?.learn() ?? []) this.#note(key, usedAt, now);
    const recent = new Map<number, number>();
    for (const port of candidates) {
      const time = this.#usedAt.get(keyOf({ address, port }, peer));
      if (port === preferred || time === undefined || now - time >= memory) yield port;
      else recent.set(port, time);
    }
    yield* [...recent].sort(([, one], [, other]) => one - other).map(([port]) => port);
  }
}

function keyOf(at: Endpoint, peer: string): string {
  return `${peer} ${formatEndpoint(at)}`;
}
