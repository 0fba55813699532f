import type { Observer } from '../events.ts';
import { NftError } from '../linux/nftables/error.ts';
import type { Nft } from '../linux/nftables/nft.ts';
import { NftQueue } from '../linux/nftables/queue.ts';
import type { Statement } from '../linux/nftables/statement.ts';
import { dropTable, keepTable, makeTable, type TableSettings } from '../linux/nftables/table.ts';
import type { TableUsers } from './table-users.ts';

type Users = Pick<TableUsers, 'areOthers' | 'leave'>;

/**
 * The one table of nftables that Pinhole has: made at start in the place of what a crash has left, made again where
 * somebody has deleted it, deleted at the end. Processes that drain share it with their successor: as long as there are
 * others, it is neither replaced nor deleted, and each takes out its own elements.
 */
export class KernelTable {
  readonly settings: TableSettings;
  readonly #nft: Nft;
  readonly #observe: Observer;
  readonly #queue: NftQueue;
  readonly #users: Users;
  readonly #holders: (() => readonly (readonly Statement[])[])[] = [];
  readonly #makeElsewhere: (() => Promise<void>) | undefined;
  #restoreElsewhere: () => Promise<number> = () => Promise.resolve(0);
  /** How often it was made. */
  #generation = 0;
  #closed = false;

  /**
   * It owns `nft` from now on.
   *
   * @param users the processes that use the table; this one alone unless told
   * @param makeElsewhere set where another process makes and deletes the table: has it make the table again
   * @throws {NftError} where the table cannot be made; nothing is left then
   */
  constructor(
    settings: TableSettings,
    nft: Nft,
    observe: Observer,
    users: Users = { areOthers: () => false, leave: () => true },
    makeElsewhere?: () => Promise<void>,
  ) {
    this.settings = settings;
    this.#nft = nft;
    this.#observe = observe;
    this.#queue = new NftQueue(nft);
    this.#users = users;
    this.#makeElsewhere = makeElsewhere;
    if (makeElsewhere) return;
    try {
      this.#make();
    } catch (error) {
      nft.close();
      throw error;
    }
  }

  /** Where the table is made again, it gets what `holder` returns: the statements of each pinhole that is pending. */
  restores(holder: () => readonly (readonly Statement[])[]): void {
    this.#holders.push(holder);
  }

  /** Other processes use it too: where it is made again, `restore` has them put in what they had. @param restore returns how many pinholes */
  shareWith(restore: () => Promise<number>): void {
    this.#restoreElsewhere = restore;
  }

  /** Another process has made it again: it gets what this one had. @returns how many pinholes */
  restore(): number {
    const pinholes = this.#holders.flatMap((holder) => holder());
    if (pinholes.length > 0) this.#nft.run(pinholes.flat());
    this.#generation++;
    return pinholes.length;
  }

  /**
   * Runs a transaction, together with what else is asked for in this turn of the event loop. Where somebody has
   * deleted the table, it is made again with all that it had.
   *
   * @throws {NftError} and then nothing of it was done
   */
  async submit(statements: readonly Statement[]): Promise<void> {
    if (this.#isClosed())
      throw new NftError('other', 'nftables: the table has been deleted because Pinhole is stopping');
    const generation = this.#generation;
    try {
      await this.#queue.submit(statements);
    } catch (error) {
      if (!(error instanceof NftError && error.kind === 'no-table') || this.#isClosed()) throw error;
      if (generation === this.#generation) {
        if (this.#makeElsewhere) await this.#makeElsewhere();
        else void this.makeAgain();
      }
      // Some of it may be there by that.
      await this.#queue.submit(statements.map(asMayBeThere));
    }
  }

  /** Takes what was there out; a failure leaves it to its own timeout. */
  withdraw(statements: readonly Statement[]): void {
    if (!this.#closed) this.#queue.submit(statements).catch(() => undefined);
  }

  /** As `withdraw`, for what does nothing any more: together with the next transaction, or after a while. */
  withdrawLater(statements: readonly Statement[]): void {
    if (!this.#closed && statements.length > 0) this.#queue.submitLater(statements).catch(() => undefined);
  }

  /** Runs what is pending now. */
  flush(): void {
    if (!this.#closed) this.#queue.flush();
  }

  /** Deletes it, unless others use it, before this returns. What was let in lives on. */
  close(): void {
    if (this.#closed) return;
    this.#queue.flush();
    this.#closed = true;
    try {
      if (!this.#makeElsewhere && this.#users.leave()) this.#nft.run([dropTable(this.settings)]);
    } finally {
      this.#nft.close();
    }
  }

  #make(): void {
    if (this.#users.areOthers()) {
      try {
        this.#nft.run([keepTable(this.settings)]);
        return;
      } catch {
        // Another version has made it, with other sets. What is pending there is lost, and only that.
      }
    }
    this.#nft.run([makeTable(this.settings)]);
  }

  /**
   * Somebody has deleted it: when this returns it is there again, with what this process had.
   *
   * @returns when the others have put in what they had, which a pinhole of somebody else does not wait for
   * @throws {NftError}
   */
  makeAgain(): Promise<void> {
    const pinholes = this.#holders.flatMap((holder) => holder());
    // Another process may have done so a moment ago.
    this.#nft.run([keepTable(this.settings), ...pinholes.flat()]);
    this.#generation++;
    const { table } = this.settings;
    return this.#restoreElsewhere()
      .catch(() => 0)
      .then((others) => {
        this.#observe({ type: 'table-restored', table, pinholes: pinholes.length + others });
      });
  }

  #isClosed(): boolean {
    return this.#closed;
  }
}

function asMayBeThere(statement: Statement): Statement {
  return statement.kind === 'add-element' ? { ...statement, isNew: false } : statement;
}
