import type { Address } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { Mode } from '../events.ts';
import type { PortRange } from '../net/port-range.ts';
import type { Expectation } from './expectation.ts';
import { portCandidates } from './port-pool.ts';
import { RecentPorts, type SharedPorts } from './recent-ports.ts';

/** What a plane is asked for, as far as the choice of a port depends on it. */
export interface Wanted {
  readonly mode: Mode;
  readonly ports: PortRange;
  readonly preferredPort: number;
  readonly address: Address;
  readonly peer: Address;
}

/** A table, as far as the other one has to know it. */
interface Tuples {
  has(at: Endpoint, peer: Address): boolean;
}

/** What the tables of two planes have in common: one row of ids, no tuple that both expect, and which ports rest. */
export class ExpectationRegister {
  /** Ports of active mode, where the server comes from the same port each time. */
  readonly #recent: RecentPorts;
  readonly #tables: Tuples[] = [];
  readonly #blocks: ((at: Endpoint, peer: Address) => boolean)[] = [];
  #lastId = 0;

  constructor(shared?: SharedPorts) {
    this.#recent = new RecentPorts(shared);
  }

  /** @param isBlocked whether a server that comes from its data port to this endpoint would not get through */
  join(table: Tuples, isBlocked?: (at: Endpoint, peer: Address) => boolean): void {
    this.#tables.push(table);
    if (isBlocked) this.#blocks.push(isBlocked);
  }

  /** The ports to try for a peer, in order, as `portCandidates` chooses; in active mode those rest that were used of late. */
  candidates(
    { mode, ports, preferredPort, address, peer }: Wanted,
    random: (below: number) => number,
    now: number,
  ): Iterable<number> {
    const candidates = portCandidates(ports, preferredPort, random);
    if (mode === 'passive') return candidates;
    return this.#recent.inOrder(candidates, address, peer, now, preferredPort);
  }

  /** The peer has come. */
  used({ mode, at, peer }: Pick<Expectation, 'mode' | 'at' | 'peer'>, now: number): void {
    if (mode === 'active') this.#recent.used(at, peer, now);
  }

  /** Whether a server that comes from its data port to this endpoint would not get through. */
  isBlocked(at: Endpoint, peer: Address): boolean {
    return this.#blocks.some((isBlocked) => isBlocked(at, peer));
  }

  nextId(): number {
    return ++this.#lastId;
  }

  has(at: Endpoint, peer: Address): boolean {
    return this.#tables.some((table) => table.has(at, peer));
  }
}
