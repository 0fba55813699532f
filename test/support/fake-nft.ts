import { NftError } from '../../src/linux/nftables/error.ts';
import type { Nft } from '../../src/linux/nftables/nft.ts';
import type { AddElement, DeleteElement, Fields, Statement } from '../../src/linux/nftables/statement.ts';

/** nftables without a kernel: sets, maps and their elements as the statements say, all of a transaction or none. */
export class FakeNft implements Nft {
  /** `pinhole expect4` -> key -> the element as it was added; undefined: no table. */
  sets: Map<string, Map<string, AddElement>> | undefined;
  readonly transactions: (readonly Statement[])[] = [];
  readonly checked: (readonly Statement[])[] = [];
  closed = false;
  /** How many elements a set may have. */
  capacity = 65_536;
  /** What the next transactions fail with, if it returns something. */
  failure: (statements: readonly Statement[]) => NftError | undefined = () => undefined;

  run(statements: readonly Statement[]): void {
    this.transactions.push(statements);
    const failure = this.failure(statements);
    if (failure) throw failure;
    const before = this.sets && new Map([...this.sets].map(([name, set]) => [name, new Map(set)]));
    try {
      for (const statement of statements) this.#carryOut(statement);
    } catch (error) {
      this.sets = before;
      throw error;
    }
  }

  check(statements: readonly Statement[]): void {
    this.checked.push(statements);
    const failure = this.failure(statements);
    if (failure) throw failure;
  }

  close(): void {
    this.closed = true;
  }

  /** The elements of a set, `key` or `key : value`, without their timeouts. */
  elements(name: string): string[] {
    return [...(this.sets?.get(`pinhole ${name}`)?.values() ?? [])].map(({ key, value }) =>
      value ? `${joined(key)} : ${joined(value)}` : joined(key),
    );
  }

  #carryOut(statement: Statement): void {
    if (statement.kind === 'table') {
      if (statement.change === 'keep') this.sets ??= new Map();
      else this.sets = statement.change === 'make' ? new Map() : undefined;
    } else this.#change(statement);
  }

  #change(statement: AddElement | DeleteElement): void {
    if (!this.sets) throw new NftError('no-table', 'nftables: No such file or directory');
    const name = `${statement.table} ${statement.set}`;
    const elements = this.sets.get(name) ?? new Map<string, AddElement>();
    this.sets.set(name, elements);
    const key = joined(statement.key);
    const there = elements.get(key);
    if (statement.kind === 'delete-element') {
      if (!elements.delete(key)) throw new NftError('no-table', 'nftables: No such file or directory');
    } else if (there === undefined) {
      if (elements.size >= this.capacity) throw new NftError('full', 'nftables: a set is full');
      elements.set(key, statement);
    } else if (statement.isNew === true || joined(there.value) !== joined(statement.value)) {
      throw new NftError('exists', 'nftables: Could not process rule: File exists');
    }
  }
}

function joined(fields: Fields = []): string {
  return fields.join(' . ');
}
