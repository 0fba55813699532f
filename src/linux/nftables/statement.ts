import type { Address } from '../../net/address.ts';

/**
 * A request to nftables. The statements of one transaction are carried out together or not at all; `toText` writes
 * them in nft's language, `toMessages` for the kernel.
 */
export type Statement = AddElement | DeleteElement | TableStatement;

/** The fields of a key or a value, in the order of the set's type: addresses without a zone, and ports. */
export type Fields = readonly (Address | number)[];

export interface AddElement {
  readonly kind: 'add-element';
  readonly table: string;
  readonly set: string;
  readonly key: Fields;
  /** Whole milliseconds. */
  readonly timeout: number;
  /** Of an element of a map. */
  readonly value: Fields | undefined;
  /** Whether it is a failure (`exists`) that the element is there. */
  readonly isNew?: boolean | undefined;
}

export interface DeleteElement {
  readonly kind: 'delete-element';
  readonly table: string;
  readonly set: string;
  readonly key: Fields;
}

/** A whole table is made, made without losing its elements, or dropped. */
export interface TableStatement {
  readonly kind: 'table';
  readonly change: 'make' | 'keep' | 'drop';
  readonly table: string;
  /** In nft's language: what is in a table is read by nobody here. */
  readonly text: string;
}
