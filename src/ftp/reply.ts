/** Which part of a reply a line is. `stray`: a line outside every reply that carries no code. */
export type ReplyPart =
  | { readonly kind: 'single' | 'first' | 'middle' | 'last'; readonly code: number }
  | { readonly kind: 'stray' };

/**
 * Tells the lines of replies apart (RFC 959 section 4.2): a reply of several lines opens with `123-` and lasts
 * until a line that begins with the same code and a blank, whatever stands between.
 */
export class ReplyReader {
  #open: string | undefined;

  push(text: string): ReplyPart {
    if (this.#open !== undefined) {
      const code = Number(this.#open);
      // The RFC has a blank behind the last line's code; some servers have nothing, a tab or a colon.
      if (!text.startsWith(this.#open) || !/^(?:$|[ \t:])/.test(text.slice(3)))
        return { kind: 'middle', code };
      this.#open = undefined;
      return { kind: 'last', code };
    }
    // Clients take three digits for a reply whatever follows them.
    const match = /^([1-6]\d\d)(?!\d)(-?)/.exec(text);
    if (!match?.[1]) return { kind: 'stray' };
    if (match[2] !== '-') return { kind: 'single', code: Number(match[1]) };
    this.#open = match[1];
    return { kind: 'first', code: Number(match[1]) };
  }
}

/** RFC 959 section 4.2.1: 1yz announces that another reply follows; every other is final. */
export function isPreliminary(code: number): boolean {
  return code < 200;
}

/** 2yz: the command was done. */
export function isCompletion(code: number): boolean {
  return code >= 200 && code < 300;
}
