import type { en } from './en.ts';

/** What a finding says. `{name}` stands for a value of the finding. */
export interface Message {
  /** What was seen. */
  readonly seen: string;
  /** What that means; with `change` left out where all is well. */
  readonly means?: string;
  /** What to change. */
  readonly change?: string;
}

export type MessageId = keyof typeof en.findings;

/** All that the doctor says in one language: a translation is one file with such an object. */
export interface Catalogue {
  readonly findings: { readonly [Id in MessageId]: Message };
  readonly words: { readonly [Word in keyof typeof en.words]: string };
}
