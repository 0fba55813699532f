/**
 * A line of the control channel. Text is "binary": one character a byte (latin1), so that the bytes of any
 * file name's encoding come out as they went in.
 */
export interface Line {
  readonly text: string;
  /** What ended it, as it came; empty for a piece whose end has not come. */
  readonly end: '\r\n' | '\n' | '';
  /** Which part of an overlong line this is; absent for a whole line. */
  readonly piece?: 'first' | 'more';
}

/** The longest line that is read whole, in bytes without its end: longer than any path that a server takes. */
export const longestLine = 8192;

/**
 * Cuts a stream of bytes into lines at LF. A line longer than `longest` comes in pieces, so that memory stays
 * bounded whatever is sent.
 */
export class LineReader {
  readonly #longest: number;
  #partial = '';
  #overlong = false;

  constructor(longest: number = longestLine) {
    this.#longest = longest;
  }

  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let lf = chunk.indexOf(0x0a); lf !== -1; lf = chunk.indexOf(0x0a, start)) {
      lines.push(this.#whole(this.#partial + chunk.toString('latin1', start, lf)));
      this.#partial = '';
      this.#overlong = false;
      start = lf + 1;
    }
    if (start < chunk.length) this.#partial += chunk.toString('latin1', start);
    // One byte more than the longest line may be its CR.
    if (this.#partial.length > this.#longest + 1) lines.push(this.#cut());
    return lines;
  }

  /** What has come of a line whose end never came. */
  rest(): string {
    return this.#partial;
  }

  #whole(text: string): Line {
    const line: Line = text.endsWith('\r') ? { text: text.slice(0, -1), end: '\r\n' } : { text, end: '\n' };
    if (this.#overlong) return { ...line, piece: 'more' };
    return line.text.length > this.#longest ? { ...line, piece: 'first' } : line;
  }

  #cut(): Line {
    // A CR at the cut may be half of the line's end: it waits for what follows.
    const keep = this.#partial.endsWith('\r') ? 1 : 0;
    const text = this.#partial.slice(0, this.#partial.length - keep);
    this.#partial = this.#partial.slice(text.length);
    const piece = this.#overlong ? 'more' : 'first';
    this.#overlong = true;
    return { text, end: '', piece };
  }
}
