import type { Address } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import { RecentPorts } from './recent-ports.ts';
import type { ExpectationTable } from './table.ts';

/** What the tables of two planes have in common: one row of ids, no tuple that both expect, and which ports rest. */
export class ExpectationRegister {
  /** Ports of active mode, where the server comes from the same port each time. */
  readonly recent: RecentPorts = new RecentPorts();
  readonly #tables: ExpectationTable[] = [];
  readonly #blocks: ((at: Endpoint, peer: Address) => boolean)[] = [];
  #lastId = 0;

  join(table: ExpectationTable): void {
    this.#tables.push(table);
  }

  /** @param isBlocked whether a server that comes from its data port to this endpoint would not get through */
  blocks(isBlocked: (at: Endpoint, peer: Address) => boolean): void {
    this.#blocks.push(isBlocked);
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
