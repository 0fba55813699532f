/**
 * What can be wrong with nftables.
 * - `no-library`: libnftables, or koffi to call it, is not installed.
 * - `no-permission`: this process lacks CAP_NET_ADMIN.
 * - `no-table`: the table is not there; somebody else has deleted it.
 * - `exists`: an element that was to be new is there; another process expects the same peer at the same place.
 * - `full`: a set has as many elements as it may have.
 * - `other`: anything else; the message has the words of nftables.
 */
export type NftErrorKind = 'no-library' | 'no-permission' | 'no-table' | 'exists' | 'full' | 'other';

/** A transaction of which nothing was carried out, or the want of what is needed to run any. */
export class NftError extends Error {
  override readonly name = 'NftError';
  readonly kind: NftErrorKind;

  constructor(kind: NftErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/**
 * Reads what libnftables wrote for a transaction that failed:
 *
 *     Error: Could not process rule: Operation not permitted
 *     add element inet pinhole expect4 { ... }
 *     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
 */
export function errorFromOutput(output: string): NftError {
  const words = /(?:^|\n)[^\n]*Error: ([^\n]+)/.exec(output)?.[1] ?? output.trim();
  if (/Operation not permitted|Permission denied/.test(words)) {
    return new NftError('no-permission', `nftables: ${words}; root or CAP_NET_ADMIN is needed`);
  }
  // No statement that is made here names an element that need not be there, so it is the table.
  if (words.includes('No such file or directory')) return new NftError('no-table', `nftables: ${words}`);
  if (words.includes('File exists')) return new NftError('exists', `nftables: ${words}`);
  if (words.includes('Too many open files in system')) {
    return new NftError('full', 'nftables: a set is full, too many pinholes are pending');
  }
  return new NftError('other', `nftables: ${words === '' ? 'failed without a message' : words}`);
}
