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

/** Gives the ports of a range to try, in order. @param random gives an integer from 0 to below its argument */
export type Candidates = (
  ports: PortRange,
  preferred: number,
  random: (below: number) => number,
) => Iterable<number>;

/** A table, as far as the other one has to know it. */
interface Tuples {
  has(at: Endpoint, peer: Address): boolean;
  /** Where somebody is expected. */
  readonly ports: Iterable<number>;
}

/** What the tables of two planes have in common: one row of ids, no tuple that both expect, and which ports rest. */
export class ExpectationRegister {
  /** Ports of active mode, where the server comes from the same port each time. */
  readonly #recent: RecentPorts;
  readonly #tables: Tuples[] = [];
  readonly #blocks: ((at: Endpoint, peer: Address) => boolean)[] = [];
  readonly #candidates: Candidates;
  #lastId = 0;

  /** @param candidates `portCandidates` unless other processes have ports of the ranges too */
  constructor(shared?: SharedPorts, candidates: Candidates = portCandidates) {
    this.#recent = new RecentPorts(shared);
    this.#candidates = candidates;
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
    const candidates = this.#candidates(ports, preferredPort, random);
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

  /** Ports at which somebody is expected. */
  get ports(): ReadonlySet<number> {
    return new Set(this.#tables.flatMap(({ ports }) => [...ports]));
  }

  has(at: Endpoint, peer: Address): boolean {
    return this.#tables.some((table) => table.has(at, peer));
  }
}
