import { replaceHarmful } from '../net/harmful-text.ts';
import { LineReader } from './lines.ts';
import { ReplyReader } from './reply.ts';

/** A whole reply. Text is binary (one character a byte). */
export interface Reply {
  /** 0 for a line outside every reply that carries no code. */
  readonly code: number;
  readonly lines: readonly string[];
}

/**
 * A reply as people are shown it: its first line, and nothing in it that a terminal would act on.
 *
 *     530-Please log in.        ->  530-Please log in.
 */
export function textOf({ lines }: Reply): string {
  const text = Buffer.from(lines[0] ?? '', 'latin1').toString('utf8');
  return replaceHarmful(text, '').slice(0, 200);
}

/** Joins what a server sends into whole replies, for a client. Of an overlong line the first piece is kept. */
export class WholeReplies {
  readonly #lines = new LineReader();
  readonly #parts = new ReplyReader();
  #open: string[] = [];

  /** How many lines of an unfinished reply are kept. */
  get openLines(): number {
    return this.#open.length;
  }

  /** The replies that end in `chunk`. */
  push(chunk: Buffer): Reply[] {
    const replies: Reply[] = [];
    this.#lines.push(chunk);
    for (let line = this.#lines.next(); line; line = this.#lines.next()) {
      if (line.piece === 'more') continue;
      const part = this.#parts.push(line.text);
      if (part.kind === 'stray') {
        replies.push({ code: 0, lines: [line.text] });
        continue;
      }
      this.#open.push(line.text);
      if (part.kind === 'single' || part.kind === 'last') {
        replies.push({ code: part.code, lines: this.#open });
        this.#open = [];
      }
    }
    return replies;
  }
}
