import type { Address } from '../net/address.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { ExpectationTable } from './table.ts';

/** What the tables of two planes have in common: one row of ids, and no tuple that both expect. */
export class ExpectationRegister {
  readonly #tables: ExpectationTable[] = [];
  #lastId = 0;

  join(table: ExpectationTable): void {
    this.#tables.push(table);
  }

  nextId(): number {
    return ++this.#lastId;
  }

  has(at: Endpoint, peer: Address): boolean {
    return this.#tables.some((table) => table.has(at, peer));
  }
}
