import type { en } from './en.ts';

/** The text of a finding. `{name}` is a placeholder for a value of the finding. */
export interface Message {
  /** What was seen. */
  readonly seen: string;
  /** What that means; with `change` left out where all is well. */
  readonly means?: string;
  /** What to change. */
  readonly change?: string;
}

export type MessageId = keyof typeof en.findings;

/** All texts of the doctor in one language: a translation is one file with such an object. */
export interface Catalogue {
  readonly findings: { readonly [Id in MessageId]: Message };
  readonly words: { readonly [Word in keyof typeof en.words]: string };
}
