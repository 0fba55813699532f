/**
 * Which part of a reply a line is. `stray`: a line outside every reply that carries no code. `seemsLast`: it would end
 * a reply of another code, and clients that look for three digits and a blank take it for the end of this one.
 */
export type ReplyPart =
  | { readonly kind: 'single' | 'first' | 'last'; readonly code: number }
  | { readonly kind: 'middle'; readonly code: number; readonly seemsLast: boolean }
  | { readonly kind: 'stray' };

/**
 * Tells the lines of replies apart (RFC 959 section 4.2): a reply of several lines opens with `123-` and lasts
 * until a line that begins with the same code and a blank, whatever stands between.
 */
export class ReplyReader {
  #open: string | undefined;

  /**
   * @param endsOpen whether a line with this code, within the reply that opened with the other, begins a reply of its
   *   own: some servers never say the last line of the one that is open
   */
  push(text: string, endsOpen: (open: number, code: number) => boolean = () => false): ReplyPart {
    if (this.#open === undefined) return this.#begin(text);
    const open = Number(this.#open);
    if (text.startsWith(this.#open)) {
      // The RFC has a space after the last line's code; some servers have nothing, a tab or a colon.
      if (!/^(?:$|[ \t:])/.test(text.slice(3))) return { kind: 'middle', code: open, seemsLast: false };
      this.#open = undefined;
      return { kind: 'last', code: open };
    }
    const [, digits, behind] = /^([1-6]\d\d)($|[ -])/.exec(text) ?? [];
    if (digits === undefined) return { kind: 'middle', code: open, seemsLast: false };
    if (endsOpen(open, Number(digits))) return this.#begin(text);
    return { kind: 'middle', code: open, seemsLast: behind !== '-' };
  }

  #begin(text: string): ReplyPart {
    // Clients take three digits for a reply whatever follows them.
    const [, digits, hyphen] = /^([1-6]\d\d)(?!\d)(-?)/.exec(text) ?? [];
    this.#open = hyphen === '-' ? digits : undefined;
    if (digits === undefined) return { kind: 'stray' };
    return { kind: hyphen === '-' ? 'first' : 'single', code: Number(digits) };
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
