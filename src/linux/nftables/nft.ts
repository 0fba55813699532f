import type { Statement } from './statement.ts';

/** Runs transactions: the one seam between this program and nftables. */
export interface Nft {
  /**
   * Carries out all statements or none.
   *
   * @throws {NftError}
   */
  run(statements: readonly Statement[]): void;
  /** Reads the statements and asks the kernel what it has, and changes nothing. @throws {NftError} */
  check(statements: readonly Statement[]): void;
  close(): void;
}
