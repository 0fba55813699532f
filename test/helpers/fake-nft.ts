import { NftError } from '../../src/nft/error.ts';
import type { Nft } from '../../src/nft/nft.ts';

/**
 * nftables without a kernel: it knows of sets, maps and their elements what the transactions of this program say,
 * a statement a line, all or none. Timeouts it keeps as text.
 */
export class FakeNft implements Nft {
  /** `inet pinhole expect4` -> key -> `timeout 300000ms` or `timeout 300000ms : value`; undefined: no table. */
  sets: Map<string, Map<string, string>> | undefined;
  readonly transactions: string[] = [];
  readonly checked: string[] = [];
  closed = false;
  /** How many elements a set may have. */
  capacity = 65_536;
  /** What the next transactions fail with, if it returns something. */
  failure: (statements: string) => NftError | undefined = () => undefined;

  run(statements: string): void {
    this.transactions.push(statements);
    const failure = this.failure(statements);
    if (failure) throw failure;
    const before = this.sets && new Map([...this.sets].map(([name, set]) => [name, new Map(set)]));
    try {
      for (const line of statements.split('\n')) this.#carryOut(line);
    } catch (error) {
      this.sets = before;
      throw error;
    }
  }

  check(statements: string): void {
    this.checked.push(statements);
    const failure = this.failure(statements);
    if (failure) throw failure;
  }

  close(): void {
    this.closed = true;
  }

  /** The elements of a set, `key` or `key : value`, without their timeouts. */
  elements(name: string): string[] {
    return [...(this.sets?.get(`inet pinhole ${name}`) ?? [])].map(
      ([key, rest]) => key + rest.replace(/^timeout \d+ms/, ''),
    );
  }

  #carryOut(line: string): void {
    if (/^delete table /.test(line)) this.sets = undefined;
    if (/^table /.test(line)) this.sets = new Map();
    const [, verb, set = '', key = '', rest = ''] =
      /^(add|delete) element (inet \S+ \S+) \{ (\S+(?: \. \S+)+)(?: (timeout .*?))? \}$/.exec(line) ?? [];
    if (verb === undefined) return;
    if (!this.sets) throw new NftError('no-table', 'nftables: No such file or directory');
    const elements = this.sets.get(set) ?? new Map<string, string>();
    this.sets.set(set, elements);
    const there = elements.get(key);
    if (verb === 'delete') {
      if (!elements.delete(key)) throw new NftError('no-table', 'nftables: No such file or directory');
    } else if (there === undefined) {
      if (elements.size >= this.capacity) throw new NftError('full', 'nftables: a set is full');
      elements.set(key, rest);
    } else if (valueOf(there) !== valueOf(rest)) {
      throw new NftError('other', 'nftables: Could not process rule: File exists');
    }
  }
}

function valueOf(rest: string): string {
  return rest.replace(/^timeout \S+/, '');
}
