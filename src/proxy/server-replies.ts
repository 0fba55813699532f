import type { Line } from '../ftp/lines.ts';
import { ReplyReader } from '../ftp/reply.ts';

/**
 * What a line of the server comes to.
 * - `lines`: lines that end no reply.
 * - `last`: the line that ends a reply with this code.
 * - `whole`: all lines of a reply that was held until its end had come.
 * - `unusable`: lines of one whose end will not be waited for.
 * - `piece`: a piece of an overlong line; `ends` is the code of the reply that it ends.
 */
export type ReplyStep =
  | { readonly kind: 'lines' | 'unusable'; readonly lines: readonly Line[] }
  | { readonly kind: 'last' | 'whole'; readonly code: number; readonly lines: readonly Line[] }
  | { readonly kind: 'piece'; readonly text: string; readonly ends: number | undefined };

/** How much of a reply of several lines is held until its end has come, in bytes. */
const mostHeld = 65_536;

/** Puts the server's lines together to replies; what need not be held goes on line by line. Pure. */
export class ServerReplies {
  readonly #reader = new ReplyReader();
  readonly #begins: (code: number) => boolean;
  /** The lines so far of a reply that is held. */
  #held: { readonly lines: Line[]; bytes: number } | undefined;
  /** The code of the final reply of which an overlong line is being passed on in pieces. */
  #overlongCode: number | undefined;

  /** @param begins is told the code of each reply that begins, and says whether it is to be held */
  constructor(begins: (code: number) => boolean) {
    this.#begins = begins;
  }

  /** Takes the next line; returns what is to go on now, in order. */
  push(line: Line): ReplyStep[] {
    if (line.piece === 'more') return [this.#piece(line, this.#overlongCode)];
    const part = this.#reader.push(line.text);
    const code = part.kind === 'single' || part.kind === 'last' ? part.code : undefined;
    const isHeld = (part.kind === 'single' || part.kind === 'first') && this.#begins(part.code);
    if (line.piece === 'first') return [...this.end(), this.#piece(line, code)];
    if (isHeld) this.#held = { lines: [], bytes: 0 };
    if (this.#held) return this.#hold(this.#held, line, code);
    return [code === undefined ? { kind: 'lines', lines: [line] } : { kind: 'last', code, lines: [line] }];
  }

  /** No more comes of what is held. */
  end(): ReplyStep[] {
    if (!this.#held) return [];
    const { lines } = this.#held;
    this.#held = undefined;
    return [{ kind: 'unusable', lines }];
  }

  #hold(held: { readonly lines: Line[]; bytes: number }, line: Line, code: number | undefined): ReplyStep[] {
    held.lines.push(line);
    held.bytes += line.text.length + 2;
    if (code === undefined) return held.bytes > mostHeld ? this.end() : [];
    this.#held = undefined;
    return [{ kind: 'whole', code, lines: held.lines }];
  }

  /** The reply that an overlong line ends is settled when the whole of it has gone on. */
  #piece({ text, end }: Line, code: number | undefined): ReplyStep {
    const isOpen = end === '';
    this.#overlongCode = isOpen ? code : undefined;
    return { kind: 'piece', text: text + end, ends: isOpen ? undefined : code };
  }
}
